/* core/event_count.h over a model of the kernel's futex: tokens are put by two threads and awaited by
 * three, one of which gives up at a deadline that may pass at any moment.
 *
 * Checked   E1, E2  when all has come to rest, nobody sleeps while there is a token
 *           E3      nobody calls the kernel to wake when there is no waiter
 * Not here  Weak memory: every statement is sequentially consistent. The orders are argued in the header.
 *
 * Mutants   (spin -D<name>: the model must then fail, see run_model.sh)
 *           NOTIFY_FIRST         the notifier looks for waiters before it makes the condition true
 *           NO_SECOND_LOOK       the waiter does not look at the condition after PrepareWait
 *           LATE_ANNOUNCEMENT    the waiter counts itself only after its second look
 *           WAKE_BEFORE_EPOCH    the notifier wakes before it increments the epoch
 *           NO_COMPARISON        the kernel does not compare before it puts the waiter to sleep
 */

#define WAITERS 3
#define IMPATIENT 2 /* this one has a deadline */
#define NOTIFIERS 2

byte tokens = 0; /* the condition */
byte waiters = 0;
byte epoch = 0;
bool asleep[WAITERS];
byte ended = 0; /* notifiers that are through */

inline TryTake() {
  atomic {
    if
    :: tokens > 0 -> tokens--; got = true
    :: else
    fi
  }
}

inline PrepareWait() {
#ifndef LATE_ANNOUNCEMENT
  waiters++; /* W1 */
#endif
  key = epoch
}

/* Sleeping, being woken, and giving up at the deadline. */
inline FutexWait() {
  atomic { /* the kernel compares and puts to sleep in one step */
    if
#ifdef NO_COMPARISON
    :: true -> asleep[me] = true
#else
    :: epoch == key -> asleep[me] = true
    :: else
#endif
    fi
  }
  atomic {
    if
    :: !asleep[me]
    :: asleep[me] && me == IMPATIENT -> asleep[me] = false; in_time = false
    fi
  }
}

/* The header looks at the epoch also before it calls the kernel the first time: that only saves calls. */
inline CommitWait() {
  do
  :: FutexWait(); /* W3 */
     atomic {
       if
       :: !in_time || epoch != key -> break
       :: else
       fi
     }
  od;
  atomic {
    waiters--;
    key = 0 /* dead: fewer states */
  }
}

proctype Waiter(byte me) {
  byte key;
  bool got = false, in_time = true;
  do
  :: got || !in_time -> break
  :: else ->
     TryTake();
     if
     :: got -> break
     :: else
     fi;
     PrepareWait();
#ifndef NO_SECOND_LOOK
     TryTake(); /* W2 */
#endif
#ifdef LATE_ANNOUNCEMENT
     waiters++;
#endif
     if
     :: atomic { got -> waiters--; key = 0 } /* CancelWait */
     :: else -> CommitWait()
     fi
  od;
  if
  :: !got -> TryTake() /* after the deadline, a last look */
  :: else
  fi
}

inline FutexWake() {
  assert(seen_waiters > 0); /* E3 */
  atomic {
    if
    :: asleep[0] -> asleep[0] = false
    :: asleep[1] -> asleep[1] = false
    :: asleep[2] -> asleep[2] = false
    :: else
    fi
  }
}

proctype Notifier() {
  byte seen_waiters;
#ifdef NOTIFY_FIRST
  seen_waiters = waiters;
  tokens++;
#else
  tokens++;               /* N1 */
  seen_waiters = waiters; /* N2 */
#endif
  if
  :: seen_waiters == 0
  :: else ->
#ifdef WAKE_BEFORE_EPOCH
     FutexWake();
     epoch++
#else
     epoch++;     /* N3 */
     FutexWake()  /* N4 */
#endif
  fi;
  atomic {
    ended++;
    seen_waiters = 0
  }
}

/* Runs when nothing else can. */
proctype AtRest() {
  timeout ->
  assert(ended == NOTIFIERS);
  assert(tokens == 0 || (!asleep[0] && !asleep[1] && !asleep[2]))
}

init {
  atomic {
    run Waiter(0);
    run Waiter(1);
    run Waiter(IMPATIENT);
    run Notifier();
    run Notifier();
    run AtRest()
  }
}
