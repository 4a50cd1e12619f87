// The sentences a user reads when a program using Troupe does not compile: one error, one sentence
// that names actor, message and fix. tests/compile_fail/ holds what each compiler makes of them.
//
// In the texts the words Actor and Message stand for the two types, because C++20's static_assert
// takes a literal only. The compilers say beside it which types these are:
//   clang 19   ... due to requirement 'kActorAndMessage<Account, Withdraw>': Troupe: the actor
//              Actor has no handler for the message Message; ...
//   GCC 12     In instantiation of '... Refuse() [with Actor = Account; Message = Withdraw]': ...
//              Troupe: the actor Actor has no handler for the message Message; ...
// That is what the odd names are for: of the conditions below, and of the parameters of the
// templates that hold the assertions.
#ifndef TROUPE_ACTORS_INTERNAL_COMPILE_ERROR_H_
#define TROUPE_ACTORS_INTERNAL_COMPILE_ERROR_H_

// Macros because static_assert wants a literal, and each sentence stands in one place.
#define TROUPE_ERROR_NO_HANDLER                                                         \
  "Troupe: the actor Actor has no handler for the message Message; add a public `void " \
  "On(Message)` to Actor, or send a message it handles."
#define TROUPE_ERROR_AMBIGUOUS_HANDLER                                                 \
  "Troupe: the actor Actor has several handlers for the message Message; keep one of " \
  "On(Message), On(const Message&), On(Message&&), with or without Context&."
#define TROUPE_ERROR_MUTABLE_REFERENCE                                                         \
  "Troupe: the handler of Actor takes the message Message by non-const reference; take it by " \
  "value, as `const Message&` or as `Message&&`."
#define TROUPE_ERROR_MESSAGE_NOT_MOVABLE                                                \
  "Troupe: the message Message cannot be moved; give it a move constructor, or send a " \
  "std::unique_ptr or a std::shared_ptr<const Message>."
#define TROUPE_ERROR_RESULT_WITHOUT_REPLY                                                        \
  "Troupe: the handler of Actor returns a value but the message Message has no reply type; add " \
  "`using Reply = T;` to Message, or return void."
#define TROUPE_ERROR_WRONG_RESULT                                                         \
  "Troupe: what the handler of Actor returns does not convert to Message::Reply; return " \
  "Message::Reply, absl::StatusOr of it, or take a troupe::Reply<Message::Reply>."
#define TROUPE_ERROR_HOOK_NOT_CALLABLE                                                             \
  "Troupe: the actor Actor has an OnStart or OnStop that cannot be called; declare it public, as " \
  "`void OnStart()` or `void OnStart(troupe::Context&)`, and OnStop alike."
#define TROUPE_ERROR_COROUTINE_ON_STOP                                                           \
  "Troupe: the OnStop of Actor is a coroutine, but there is no later for it: the actor is gone " \
  "when it returns. Make it a plain function."
#define TROUPE_ERROR_COROUTINE_CONTINUATION                                                        \
  "Troupe: a continuation given to Then is a coroutine, which nobody would run; make the handler " \
  "the coroutine and co_await the ask."
#define TROUPE_ERROR_SILENT_COPY                                                                 \
  "Troupe: this would copy the message Message on its way to Actor; give it up with std::move, " \
  "or write Message(message) where a copy is meant."
#define TROUPE_ERROR_NOT_ASKABLE                                                                 \
  "Troupe: the message Message has no reply type, so Actor cannot be asked with it; add `using " \
  "Reply = T;` to Message, or use Send."
#define TROUPE_ERROR_RECIPIENT_LACKS_MESSAGE                                                     \
  "Troupe: the Recipient Actor does not carry the message Message; add Message to its template " \
  "arguments where it is made."
#define TROUPE_ERROR_ROUTER_LACKS_MESSAGE                                                     \
  "Troupe: the Router Actor does not carry the message Message; add Message to its template " \
  "arguments where it is made."
#define TROUPE_ERROR_BROADCAST_NOT_COPYABLE                                                       \
  "Troupe: Broadcast, AskFirst and topics send copies and the message Message cannot be copied; " \
  "make it copyable, or send a std::shared_ptr<const Message>."
#define TROUPE_ERROR_NO_KEY                                                                \
  "Troupe: the function given to ByKey has no key for the message Message; let it take a " \
  "`const Message&` and return an integer, an enum or a string."
#define TROUPE_ERROR_MESSAGE_NOT_COPYABLE                                                          \
  "Troupe: SendEvery sends copies and the message Message cannot be copied; make it copyable, or " \
  "use SendAfter and again SendAfter in the handler."
#define TROUPE_ERROR_NOT_CONSTRUCTIBLE                                                         \
  "Troupe: Spawn cannot construct the actor Actor from these arguments; pass what one of its " \
  "public constructors takes."
#define TROUPE_ERROR_NOT_CONSTRUCTIBLE_AGAIN                                                  \
  "Troupe: a supervised Actor is constructed from copies of these arguments, again for each " \
  "life; "                                                                                    \
  "pass copyable ones that a public constructor takes (std::ref for what outlives it)."
#define TROUPE_ERROR_NOT_A_FUNCTION                                                                \
  "Troupe: Spawn was given an Actor that is not a function of one message; pass a lambda such as " \
  "[](Deposit d) {...} (not a generic one), or name the class: Spawn<Account>(...)."
#define TROUPE_ERROR_NOT_AN_EVENT                                                          \
  "Troupe: nobody publishes a Message; subscribe to one of ActorStarted, ActorRestarted, " \
  "ActorEnded, ChildStarted, ChildEnded and DeadLetter, or make a Topic<Message> of your own."
#define TROUPE_ERROR_PROCESS_LACKS_MESSAGE                                                    \
  "Troupe: the process Actor does not list the message Message; add Message to the template " \
  "arguments of the Process that its body takes."
#define TROUPE_ERROR_STREAM_NOT_COPYABLE                                                      \
  "Troupe: Broadcast gives each branch of a stream a copy and the element Message cannot be " \
  "copied; make it copyable, or Map it to a std::shared_ptr<const Message>."
#define TROUPE_ERROR_STREAM_NOT_ASKABLE                                                          \
  "Troupe: To asks with each element, since the answers are what it waits for, but the element " \
  "Message has no `using Reply = void;`; Map it to a message that has, or use ForEach."
#define TROUPE_ERROR_STREAM_STEP                                                             \
  "Troupe: a step or the end of a stream was given an Actor that cannot be called with the " \
  "element Message; let it take a Message (a filter: a const Message&, and return bool)."
#define TROUPE_ERROR_NO_STATE_HANDLES                                                      \
  "Troupe: no state of the machine Actor handles the message Message; add a public `void " \
  "On(State&, Message)` to Actor, or `void On(Message)` for all states."
#define TROUPE_ERROR_NOT_A_STATE                                                               \
  "Troupe: Message is no state of Actor; add it to the list of the StateMachine, or name one " \
  "that is in it."
#define TROUPE_ERROR_RETURNS_NO_STATE                                                              \
  "Troupe: what the machine Actor returns for the message Message is none of its states; list it " \
  "in the StateMachine, or return void."
#define TROUPE_ERROR_REENTRANT_STATE_HANDLER                                                     \
  "Troupe: a handler of Actor that names a state is a ReentrantTask, but the state may be left " \
  "while Message is handled; return a Task, or handle Message for all states."
#define TROUPE_ERROR_TIMEOUT_WITHOUT_HANDLER                                                   \
  "Troupe: the state Message of the machine Actor has a timeout and no handler for it; add a " \
  "public `On(Message&, troupe::StateTimeout)` to Actor."
#define TROUPE_ERROR_STATE_HOOK                                                                   \
  "Troupe: OnEnter and OnExit of Actor return void; to leave the state Message at once, give it " \
  "a "                                                                                            \
  "timeout of zero."
#define TROUPE_ERROR_POSTPONED_DOWN \
  "Troupe: Actor postpones a Down in the state Message; handle it and keep what it says."
#define TROUPE_ERROR_WEAKEN_ACTOR_REF                                                            \
  "Troupe: the right to send everything to Actor cannot be limited, as there is no list of it; " \
  "say which messages first: ref.Only<Message>().Limit(...), and Expires and Attenuate alike."
#define TROUPE_ERROR_SELECT                                                                      \
  "Troupe: Select receives from Receivers and ends of channels, and a Message is neither; what " \
  "is sent to an actor is received by its handlers, or by the body of a Process."

namespace troupe::internal {

// False. Used as the condition of an assertion that is reached only when something is wrong, and
// named for how the compilers print it.
template <class Actor, class Message>
inline constexpr bool kActorAndMessage = false;
template <class Actor>
inline constexpr bool kActor = false;
template <class Message>
inline constexpr bool kMessage = false;

// Stands in for what could not be made, so that nothing behind the sentence is an error of its own:
// made from anything, converted to anything. (The constructor has a body because GCC 12 wants to see
// one when a lambda is among the arguments.)
struct Anything {
  template <class... Ts>
  explicit Anything(Ts&&...) {}
  template <class T>
  operator T() const;
};

}  // namespace troupe::internal

#endif  // TROUPE_ACTORS_INTERNAL_COMPILE_ERROR_H_
