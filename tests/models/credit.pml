/* The credit of two receivers: runtime/bridges/internal/send_window.h at one end, inflow.h at the other. A proxy for
 * each sends messages of one byte; what is handled is returned only because somebody waits for it, as the
 * portion of the connection is never reached. The first target is a mailbox with two receivers; the second has one,
 * or none.
 *
 * Checked   W3, W4, F3, F4, F5   when all has come to rest, all that has a receiver has been handled
 *           W5                   nothing is returned that is not outstanding
 * Not here  Weak memory: these are seq_cst. F1 and F2. Large messages. A second TakeCredit at the same time.
 *
 * Mutants   (spin -D<name>: the model must then fail, see run_model.sh)
 *           SAY_ONCE             who waits says so once, and not after something was returned for it
 *           SAY_NOT_EVERYTHING   who waits with nothing outstanding says nothing
 *           WAKE_ONLY_RETURNED   credit wakes only those whose it is
 *           LOOK_BEFORE_DUE      NoteBlocked looks at what is owed before it writes what is due
 *           LOOK_BEFORE_LINK     Handled looks at what is due before it links the account
 *           OWE_WHOLE            due is all that is outstanding, as the sender saw it
 *           ASKED_RESET_LATE     TakeCredit resets `asked_` when it has taken
 *           RESET_FOR_NOTHING    TakeCredit resets `is_exhausted_` though there is nothing to return
 */

#define NEVER 100
#define EVERYTHING 2
#define MESSAGE 0
#define BLOCKED 1

/* ---- the sender, under the lock of the outbox */
short free;
byte out[2]; /* outstanding */
bool waits[2];
bool said_everything = false;
byte sent[2];
byte goal[2];

chan data = [12] of { byte, byte }; /* kind, target: in order */
chan back = [6] of { byte, byte };  /* bytes of either target */

/* ---- the receiver */
byte mail[2]; /* arrived, and not received */
byte taken[2];
byte owed[2];
byte due[2];
byte credited[2];
bool linked[2]; /* owing_ */
bool is_exhausted = false;
bool asked = false;
byte asks = 0; /* ReturnCredit in the session's mailbox */
byte handled[2];

#define FITS(i) (out[i] * (1 + waits[1 - i]) < free)

inline Say(i) {
  if
  :: out[i] > 0 -> data!BLOCKED, i
#ifndef SAY_NOT_EVERYTHING
  :: out[i] == 0 && !said_everything -> said_everything = true; data!BLOCKED, EVERYTHING
#endif
  :: else
  fi
}

proctype Proxy(byte me) {
  do
  :: sent[me] < goal[me] ->
     atomic {
       if
       :: FITS(me) -> out[me]++; free--; sent[me]++; data!MESSAGE, me
       :: else -> waits[me] = true; Say(me)
       fi
     }
     atomic { !waits[me] }
  :: else -> break
  od
}

inline GoOn(i) {
#ifdef WAKE_ONLY_RETURNED
  (waits[i] && FITS(i) && returned[i] > 0) -> waits[i] = false
#else
  (waits[i] && FITS(i)) -> waits[i] = false
#endif
}

proctype CreditReader() {
  byte returned[2];
end:
  do
  :: atomic {
       back?returned[0], returned[1];
       assert(returned[0] <= out[0] && returned[1] <= out[1]); /* W5 */
       out[0] = out[0] - returned[0];
       out[1] = out[1] - returned[1];
       free = free + returned[0] + returned[1];
       said_everything = false;
       do
       :: GoOn(0)
       :: GoOn(1)
       :: else -> break
       od;
       if
       :: waits[0] && (returned[0] > 0 || out[0] == 0) ->
#ifdef SAY_ONCE
          skip
#else
          Say(0)
#endif
       :: else
       fi;
       if
       :: waits[1] && (returned[1] > 0 || out[1] == 0) ->
#ifdef SAY_ONCE
          skip
#else
          Say(1)
#endif
       :: else
       fi;
       returned[0] = 0;
       returned[1] = 0
     }
  od
}

inline Ask() { /* F5 */
  atomic { was = asked; asked = true }
  if
  :: !was -> asks++
  :: else
  fi;
  was = false
}

proctype Link() {
  byte kind, target, half;
  bool was, is_due;
end:
  do
  :: data?kind, target ->
     if
     :: kind == MESSAGE -> d_step { taken[target]++; mail[target]++ }
     :: kind == BLOCKED && target == EVERYTHING ->
        is_exhausted = true;
        if
        :: linked[0] || linked[1] -> Ask()
        :: else
        fi
     :: else ->
        half = taken[target] - credited[target];
        if
        :: half > 0 ->
#ifdef OWE_WHOLE
           half = taken[target];
#else
           half = (half + 1) / 2;
#endif
#ifdef LOOK_BEFORE_DUE
           is_due = owed[target] >= half;
           due[target] = half;
#else
           due[target] = half;
           is_due = owed[target] >= half;
#endif
           if
           :: is_due -> Ask()
           :: else
           fi
        :: else
        fi
     fi;
     d_step { kind = 0; target = 0; half = 0; is_due = false }
  od
}

inline Look() {
  now = owed[me];
  is_due = now >= due[me];
  is_due = is_due || is_exhausted
}

proctype Receiver(byte me) {
  byte now;
  bool was, first, is_due;
end:
  do
  :: atomic { mail[me] > 0 -> mail[me]-- }
     atomic { first = (owed[me] == 0); owed[me]++; handled[me]++ }
#ifdef LOOK_BEFORE_LINK
     Look();
#endif
     if
     :: first -> linked[me] = true /* F3 */
     :: else
     fi;
#ifndef LOOK_BEFORE_LINK
     Look();
#endif
     if
     :: is_due -> Ask()
     :: else
     fi;
     d_step { now = 0; first = false; is_due = false }
  od
}

inline TakeOne(i) {
  if
  :: has[i] ->
     due[i] = NEVER;
     atomic { bytes[i] = owed[i]; owed[i] = 0 }
     credited[i] = credited[i] + bytes[i]
  :: else
  fi
}

proctype Session() {
  byte bytes[2];
  bool has[2];
end:
  do
  :: atomic { asks > 0 -> asks-- }
#ifndef ASKED_RESET_LATE
     asked = false;
#endif
     atomic {
       has[0] = linked[0];
       has[1] = linked[1];
       linked[0] = false;
       linked[1] = false
     }
     if
#ifdef RESET_FOR_NOTHING
     :: is_exhausted = false
#else
     :: has[0] || has[1] -> is_exhausted = false
     :: else
#endif
     fi;
     TakeOne(0);
     TakeOne(1);
#ifdef ASKED_RESET_LATE
     asked = false;
#endif
     if
     :: has[0] || has[1] -> back!bytes[0], bytes[1]
     :: else
     fi;
     d_step { has[0] = false; has[1] = false; bytes[0] = 0; bytes[1] = 0 }
  od
}

init {
  bool stuck; /* the second target */
  atomic {
    due[0] = NEVER;
    due[1] = NEVER;
    if
    :: free = 1; /* and who comes second has nothing outstanding */
       goal[0] = 2;
       goal[1] = 1;
       run Receiver(1)
    :: free = 4;
       goal[0] = 3;
       goal[1] = 3;
       stuck = true
    fi;
    run Proxy(0);
    run Proxy(1);
    run CreditReader();
    run Link();
    run Receiver(0);
    run Receiver(0);
    run Session()
  }
  timeout; /* all has come to rest */
  assert(handled[0] == goal[0]);
  assert(stuck || handled[1] == goal[1])
}
