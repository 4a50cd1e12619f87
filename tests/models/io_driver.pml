/* runtime/internal/driver_seat.h and parker.h with one worker that waits in the driver, and
 * runtime/bridges/internal/own_loop.h: its context, the thread that stands by, who serves. Two events come in, two
 * pieces of work are submitted from elsewhere, and the worker's handlers may never return.
 *
 * Checked   V1   never two in run_one
 *           D2   when all has come to rest, no submitted work is left unless the worker is stuck
 *           V2   and no event, even if it is: the thread has taken over. (Its gap is a step that may
 *                happen at any time while it stands by.)
 *           D3   nor is the worker in a driver that wants to go (the rest of Close is not here)
 *           what makes IdleSet right: a worker that was woken has been taken out of the sleepers
 * Not here  Several workers (idle_set.pml), several drivers; Duty, which only chooses when to hand over; weak memory.
 *
 * Mutants   (spin -D<name>: the model must then fail, see run_model.sh)
 *           UNPARK_ONLY         whoever unparks a worker that is elsewhere does not call it back
 *           TELL_THEN_TAKE      the worker says that it is elsewhere before it serves: the thread may meet the call
 *           SLEEP_WITHOUT_LOOK  the thread sleeps without a look at who serves
 *           LEAVE_SILENTLY      the worker does not wake the thread when it leaves
 *           EAT_TOKEN           coming back from the driver takes an Unpark away
 *           DETACH_UNSEEN       begin does not look whether the driver is about to go
 *           SERVE_ANYWAY        the worker serves although the thread does
 */

mtype = { thread, nobody, worker };
mtype server = thread;
mtype = { at_home, elsewhere, notified };
mtype word = at_home; /* the worker's parker */

byte events = 0;    /* ready in the context */
byte noops = 0;     /* posted by Interrupt */
byte inside = 0;    /* in run_one */
byte work = 0;      /* in the injector */
bool sleeper = false;
bool standing_by = true;
bool token = false; /* the thread's parker */
bool wanted = false;
bool in_use = false; /* the seat */
bool detached = false;
bool stuck = false;
byte ended = 0;

inline Unpark() { /* the worker */
  atomic {
    was_elsewhere = (word == elsewhere);
    word = notified
  }
#ifndef UNPARK_ONLY
  if
  :: was_elsewhere -> noops++ /* Interrupt: in the driver or about to be (D2) */
  :: else
  fi;
#endif
  was_elsewhere = false
}

/* run_one: something is there, and one of it is done. `event` says whether that was an event. */
inline RunOne() {
  atomic { inside++; assert(inside == 1) } /* V1 */
  atomic {
    if
    :: events > 0 -> event = true
    :: noops > 0 -> noops--; event = false
    fi
  }
}

inline EndElsewhere() {
#ifdef EAT_TOKEN
  word = at_home
#else
  atomic { word = (word == elsewhere -> at_home : word) }
#endif
}

inline StopServing() { /* V2 */
  server = nobody;
#ifndef LEAVE_SILENTLY
  if
  :: !standing_by -> token = true
  :: else
  fi
#endif
}

inline Handle() {
  if
  :: stuck = true; goto forever
  :: true
  fi
}

proctype Worker() {
  bool event, chosen;
end:
  do
  :: atomic { work > 0 -> work-- } Handle()
  :: else ->
     sleeper = true;
     if /* Sleep: P2 of idle_set.h */
     :: atomic { work > 0 && sleeper -> sleeper = false; word = notified }
     :: else
     fi;
serve:
     atomic { /* Take */
       if
       :: !detached -> in_use = true
       :: else -> goto park
       fi
     }
#ifdef TELL_THEN_TAKE
     atomic {
       if
       :: word == at_home -> word = elsewhere
       :: else -> goto park
       fi
     }
#endif
     atomic {
       if
       :: server == nobody -> server = worker
#ifdef SERVE_ANYWAY
       :: server == thread -> server = worker
#endif
       :: else -> wanted = true; word = (word == elsewhere -> at_home : word); in_use = false; goto park
       fi
     }
#ifndef TELL_THEN_TAKE
     atomic {
       if
#ifdef DETACH_UNSEEN
       :: word == at_home -> word = elsewhere
       :: else -> StopServing(); in_use = false; goto park
#else
       :: word == at_home && !detached -> word = elsewhere /* MayWait, BeginElsewhere */
       :: else -> StopServing(); in_use = false; goto park
#endif
       fi
     }
#endif
     RunOne();
     if
     :: event ->
        EndElsewhere();
        atomic { chosen = !sleeper; sleeper = false } /* WakeUp */
        if
        :: chosen -> atomic { word == notified -> word = at_home } /* it has come, or is about to */
        :: else
        fi;
        atomic { events--; inside--; event = false }
        StopServing();
        chosen = false;
        in_use = false;
        Handle()
     :: else ->
        inside--;
        StopServing();
        EndElsewhere();
        in_use = false;
        goto serve
     fi;
     goto next;
park:
endpark:
     atomic { word == notified -> word = at_home }
     assert(!sleeper);
next:
     skip
  od;
forever:
  skip
}

proctype Thread() {
  bool event;
endserve:
  do
  :: RunOne(); /* ServeByThread */
     if
     :: event -> events--
     :: else
     fi;
     inside--;
     event = false;
     if
     :: wanted -> wanted = false; server = nobody
     :: else -> goto again
     fi;
     /* StandBy */
     do
     :: atomic { server == nobody -> server = thread } break /* a gap */
     :: server == worker ->
        standing_by = false;
#ifdef SLEEP_WITHOUT_LOOK
        if
        :: true ->
#else
        if
        :: server == worker ->
#endif
endsleep:
           atomic { token -> token = false }
        :: else
        fi;
        standing_by = true
     od;
again:
     skip
  od
}

proctype Outside() {
  byte left = 2;
  do
  :: left > 0 -> events++; left--
  :: else -> break
  od;
  ended++
}

proctype Closer() { /* Detach */
  bool was_in_use = false;
  if
  :: atomic { detached = true; was_in_use = in_use }
     if
     :: was_in_use -> noops++
     :: else
     fi
  :: true
  fi;
  was_in_use = false;
  ended++
}

proctype Submitter() {
  bool was_elsewhere = false;
  bool wake;
  byte left = 2;
  do
  :: left > 0 ->
     work++;
     atomic { wake = sleeper; sleeper = false }
     if
     :: wake -> Unpark()
     :: else
     fi;
     wake = false;
     left--
  :: else -> break
  od;
  ended++
}

init {
  atomic {
    run Worker();
    run Thread();
    run Outside();
    run Closer();
    run Submitter()
  }
  timeout; /* all has come to rest */
  assert(ended == 3);
  assert(events == 0);        /* V2 */
  assert(!(in_use && detached)); /* D3 */
  assert(work == 0 || stuck) /* D2 */
}
