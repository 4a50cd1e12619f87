/* The word of core/mailbox_queue.h: every interleaving of senders, a waker, and two threads that run
 * the receiver, close it and open it again.
 *
 * Checked   M1  at most one thread has the right to run; a closed or idle queue has none
 *           M2  when all has come to rest, every wake has been answered
 *           M3  every node that was not refused comes out once, in the order of its sender
 *           M5  nodes are used again as soon as they have come out, so the word takes the same value
 *               again and again under the eyes of slow senders (ABA)
 * Not here  Weak memory: every statement is sequentially consistent. The orders are argued in the header.
 *
 * Mutants   (spin -D<name>: the model must then fail, see run_model.sh)
 *           WAKE_ONLY_LOOKS      Wake leaves an active word as it is
 *           FINISH_BLINDLY       FinishBatch stores kIdle instead of comparing
 *           TAKE_FORGETS_NEW     TakeAll stores kActive instead of exchanging
 *           SCHEDULE_ALWAYS      Push does not care whether somebody has the right to run
 *           LINK_ONCE            Push does not set the link anew when its CAS has failed
 *           LINK_AND_HAND_OVER   PushUnlessIdle puts into the queue what it leaves to the caller too
 *           HAND_TO_THE_ACTIVE   PushUnlessIdle leaves the node to the caller where somebody has the
 *                                right to run
 *           HAND_OVER_AND_PARK   PushUnlessIdle leaves an idle word idle
 */

#define kClosed 0
#define kIdle 1
#define kActive 2
#define kNotified 3
#define kNodes 4 /* kNodes + n: node n is the newest */

#define SENDERS 2
#define NODES_EACH 2
#define MESSAGES(sender) (sender == 0 -> 3 : 1) /* 3 are more than it has nodes */
#define WAKES 1

byte word = kIdle;
byte next[4]; /* SENDERS * NODES_EACH; 0 or kNodes + n */

byte number[4];                /* the message in node n */
bool in_queue[4];              /* accepted, and not come out yet */
byte expected[SENDERS];        /* what this sender's message out of the queue must not be below */
byte handed = 0;               /* the node that came with the right to run: 0 or kNodes + n */
bool right = false;            /* somebody has the right to run */
byte requested = 0;            /* what Wake tells of, in some word of the receiver's */
byte answered = 0;
byte closings = 0;
byte ended = 0;                /* senders and wakers that are through */

chan schedule = [1] of { bit };

inline GetRight() { /* in the atomic step that moves the word away from kIdle, or opens it active */
  assert(!right);
  right = true
}

inline HandOver() {
  assert(nfull(schedule)); /* scheduled twice */
  schedule ! 1
}

proctype Sender(byte sender) {
  byte n, seen, sent = 0;
  bool must_schedule, unless_idle, keeps;
  do
  :: sent == MESSAGES(sender) -> break
  :: else ->
     n = sender * NODES_EACH + sent % NODES_EACH;
     d_step {
       !in_queue[n]; /* its last user has freed it */
       number[n] = sent;
       must_schedule = false;
       seen = word
     };
     if
     :: unless_idle = false /* Push */
     :: unless_idle = true  /* PushUnlessIdle */
     fi;
#ifdef LINK_ONCE
     next[n] = (seen >= kNodes -> seen : 0);
#endif
     do
     :: seen == kClosed -> break
     :: else ->
#ifndef LINK_ONCE
        next[n] = (seen >= kNodes -> seen : 0);
#endif
        atomic {
          if
          :: word == seen ->
#ifdef HAND_TO_THE_ACTIVE
             keeps = unless_idle && seen < kNodes;
#else
             keeps = unless_idle && seen == kIdle;
#endif
             if
#ifndef LINK_AND_HAND_OVER
             :: keeps ->
#ifdef HAND_OVER_AND_PARK
                skip
#else
                word = kActive
#endif
             :: else -> word = kNodes + n
#else
             :: true -> word = kNodes + n
#endif
             fi;
             in_queue[n] = true;
#ifdef SCHEDULE_ALWAYS
             must_schedule = true;
#else
             must_schedule = (seen == kIdle);
#endif
             if
             :: must_schedule -> GetRight()
             :: else
             fi;
             break
          :: else -> seen = word
          fi
        }
     od;
     if
     :: keeps ->
        assert(handed == 0); /* the one before was never handled */
        handed = kNodes + n
     :: else
     fi;
     if
     :: must_schedule -> HandOver()
     :: else
     fi;
     d_step {
       sent++;
       keeps = false;
       unless_idle = false;
       seen = 0;
       n = 0
     }
  od;
  ended++
}

proctype Waker() {
  byte seen, wakes = 0;
  bool must_schedule;
  do
  :: wakes == WAKES -> break
  :: else ->
     requested++;
     d_step {
       must_schedule = false;
       seen = word
     };
     do
     :: seen == kClosed ->
        answered = requested; /* nobody there to answer */
        break
     :: else ->
        atomic {
          if
          :: word == seen ->
             if
             :: seen == kIdle ->
                word = kActive;
                must_schedule = true;
                GetRight()
             :: seen == kActive || seen == kNotified ->
#ifndef WAKE_ONLY_LOOKS
                word = kNotified
#else
                skip
#endif
             :: seen >= kNodes
             fi;
             break
          :: else -> seen = word
          fi
        }
     od;
     if
     :: must_schedule -> HandOver()
     :: else
     fi;
     wakes++
  od;
  ended++
}

/* Reverses the list that begins at `node`, as the header does, and frees its nodes. In one step: until
 * they are free, nobody else looks at them. */
inline Receive() {
  d_step {
    list = 0;
    do
    :: node == 0 -> break
    :: else ->
       older = next[node - kNodes];
       next[node - kNodes] = list;
       list = node;
       node = older
    od;
    do
    :: list == 0 -> break
    :: else ->
       node = list - kNodes;
       list = next[node];
       assert(in_queue[node]);                              /* M3: once */
       assert(number[node] >= expected[node / NODES_EACH]); /* M3: in order */
       expected[node / NODES_EACH] = number[node] + 1;
       in_queue[node] = false
    od;
    node = 0;
    older = 0
  }
}

inline TakeHanded() {
  d_step {
    node = handed;
    handed = 0
  }
  Receive()
}

inline TakeAll() {
  node = 0;
  if
  :: word == kActive
  :: else ->
#ifdef TAKE_FORGETS_NEW
     node = (word >= kNodes -> word : 0);
     word = kActive;
#else
     d_step {
       node = (word >= kNodes -> word : 0);
       word = kActive
     }
#endif
     Receive()
  fi
}

inline CloseAndOpen() {
  d_step {
    assert(right);
    node = (word >= kNodes -> word : 0);
    word = kClosed;
    right = false;
    closings++
  }
  answered = requested; /* whoever asked the one that ended */
  Receive();
  atomic {
    assert(word == kClosed); /* M4 */
    if
    :: word = kIdle; parked = true
    :: word = kActive; GetRight()
    fi
  }
}

proctype Runner() {
  byte node, older, list;
  bool parked;
  do
  :: schedule ? 1 ->
     parked = false;
     TakeHanded();
     do
     :: parked -> break
     :: else ->
        assert(right); /* M1 */
        TakeAll();
        answered = requested;
        if
        :: closings < 1 -> CloseAndOpen()
        :: true
        fi;
        if
        :: parked
        :: else ->
           atomic {
             if
#ifndef FINISH_BLINDLY
             :: word != kActive
             :: else ->
#else
             :: true ->
#endif
                word = kIdle;
                right = false;
                parked = true
             fi
           }
        fi
     od
  od
}

/* Runs when nothing else can. */
proctype AtRest() {
  timeout ->
  assert(ended == SENDERS + 1);
  assert(word == kIdle && !right);                                               /* M1 */
  assert(answered == requested);                                                 /* M2 */
  assert(!in_queue[0] && !in_queue[1] && !in_queue[2] && !in_queue[3])           /* M3 */
}

init {
  atomic {
    run Sender(0);
    run Sender(1);
    run Waker();
    run Runner();
    run Runner();
    run AtRest()
  }
}
