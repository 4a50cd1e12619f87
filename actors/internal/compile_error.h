// The sentences a user reads when a program using Troupe does not compile. tests/compile_fail/
// holds what each compiler makes of them: clang names the types in "due to requirement", GCC in the
// "In instantiation of" line above ("with A = Account; M = Deposit").
#ifndef TROUPE_ACTORS_INTERNAL_COMPILE_ERROR_H_
#define TROUPE_ACTORS_INTERNAL_COMPILE_ERROR_H_

// Macros because C++20's static_assert takes a literal only, and each sentence stands in one place.
#define TROUPE_ERROR_NO_HANDLER                                                                    \
  "Troupe: the actor A has no handler for the message M; add a public `void On(M)` to A, or send " \
  "a message it handles."
#define TROUPE_ERROR_AMBIGUOUS_HANDLER                                                            \
  "Troupe: the actor A has several handlers for the message M; keep one of On(M), On(const M&), " \
  "On(M&&), with or without Context&."
#define TROUPE_ERROR_MUTABLE_REFERENCE                                                             \
  "Troupe: the handler of A takes the message M by non-const reference; take it by value, `const " \
  "M&` or `M&&`."
#define TROUPE_ERROR_MESSAGE_NOT_MOVABLE                                                          \
  "Troupe: the message M cannot be moved; give it a move constructor, or send a std::unique_ptr " \
  "or std::shared_ptr<const M>."
#define TROUPE_ERROR_RESULT_WITHOUT_REPLY                                                     \
  "Troupe: the handler of A returns a value but the message M has no reply type; add `using " \
  "Reply = T;` to M, or return void."
#define TROUPE_ERROR_WRONG_RESULT                                                         \
  "Troupe: what the handler of A returns does not convert to M::Reply; return M::Reply, " \
  "absl::StatusOr of it, or take a Reply<M::Reply>."
#define TROUPE_ERROR_NOT_ASKABLE                                                                  \
  "Troupe: the message M has no reply type, so it cannot be asked; add `using Reply = T;` to M, " \
  "or use Send."
#define TROUPE_ERROR_RECIPIENT_LACKS_MESSAGE                                                       \
  "Troupe: this Recipient does not carry the message M; add M to its template arguments where it " \
  "is made."
#define TROUPE_ERROR_NOT_A_FUNCTION                                                          \
  "Troupe: Spawn was given something that is neither a class to make nor a function of one " \
  "message; pass a lambda such as [](Deposit d) {...} "                                      \
  "(not a generic one), or name the class: Spawn<Account>(...)."

#endif  // TROUPE_ACTORS_INTERNAL_COMPILE_ERROR_H_
