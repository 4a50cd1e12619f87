// What the thread sanitizer is told to overlook, in every program of the tree. It calls this if it is there.
extern "C" const char* __tsan_default_suppressions();

extern "C" const char* __tsan_default_suppressions() {
  // Debian's libabsl is not built with -fsanitize=thread, so the reference count inside it is
  // invisible: what one thread did to a shared Status before it let go seems to race with the last
  // one's delete.
  return "race:UnrefNonInlined\n";
}
