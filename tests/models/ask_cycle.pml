/* The waits of actors/internal/wait_edge.h, and the search for a cycle in ask_cycle.cc.
 *
 * Three actors, which ask some other one or themselves three times in all, and answer what they are
 * asked while they do not wait. Once something unusual happens: a question is answered by a helper, to
 * whom the Reply was passed on, or refused, as by a full mailbox, or one actor ends, and another one has
 * its cell. Memory is sequentially consistent; what is weaker is argued in the header.
 *
 * Checked   There is no false alarm: when a cycle is reported, there was a moment at which each of
 *           its actors lived and waited for the next, and nobody had decided to end that.
 *           None is missed: at rest nobody waits.
 *
 * Mutants   (spin -D<name>: the model must then fail, see run_model.sh)
 *           ONE_ROUND          the edges are not looked at a second time
 *           ENTER_FIRST        the edge is there before the mailbox has taken the request
 *           LOOK_FIRST         the search comes before the asker's own edge
 *           LEAVE_BLINDLY      a late Leave goes back to an older number
 *           KEEP_EDGE          it is not left when the Reply is passed on
 *           SETTLE_FIRST       an ask is ended by others than the asked, and its wait left after
 */

#define ACTORS 3
#define ASKS 3
#define MISHAPS 1

/* Beside the cells. */
byte entered[ACTORS];
byte left[ACTORS];
byte target[ACTORS];

/* A message is the asker and the number of its wait. */
chan mailbox[ACTORS] = [4] of { byte, byte };
bool closed[ACTORS];

/* The ask of each actor. */
byte ask[ACTORS]; /* its number */
bool settled[ACTORS];
bool told[ACTORS];
chan helpers = [4] of { byte, byte };

/* What is true, for the assertions: who waits until its target ends that, and for whom. */
bool waits[ACTORS];
byte waits_for[ACTORS];
bool suspended[ACTORS];
byte asked = 0;
byte asks[ACTORS];
byte mishaps = 0; /* what is unusual happens so often at most */

#define NEXT(a) waits_for[a]
/* At most three steps lead back to `a`. */
#define IN_CYCLE(a)                                            \
  (waits[a] && (NEXT(a) == a ||                                \
   (waits[NEXT(a)] && (NEXT(NEXT(a)) == a ||                   \
    (waits[NEXT(NEXT(a))] && NEXT(NEXT(NEXT(a))) == a)))))

inline Leave(a, number) {
  if
#ifdef LEAVE_BLINDLY
  :: left[a] != number -> left[a] = number
#else
  :: left[a] < number -> left[a] = number
#endif
  :: else
  fi
}

/* Whoever is first; the new actor of a cell is not told of an ask of the old one. */
inline Claim(a, number) {
  if
  :: ask[a] == number && !settled[a] ->
     settled[a] = true;
     waits[a] = false;
     claimed = true
  :: else
  fi
}

inline Tell(a, number) {
  if
  :: claimed && ask[a] == number -> told[a] = true
  :: else
  fi;
  claimed = false
}

/* By the one who was asked: it waits for nobody meanwhile. */
inline Answer(a, number) {
  atomic { Claim(a, number) }
  atomic { Leave(a, number); Tell(a, number) }
}

/* With the edge the wait is over: somebody has decided that there will be an answer. */
inline LeaveForGood(a, number) {
  if
  :: ask[a] == number -> waits[a] = false
  :: else
  fi;
  Leave(a, number)
}

/* By anybody else. */
inline Settle(a, number) {
#ifdef SETTLE_FIRST
  Answer(a, number)
#else
  atomic { LeaveForGood(a, number) }
  atomic { Claim(a, number); Tell(a, number) }
#endif
}

/* A look at the edge of `cell`; seen_number is 0 if there is none. */
inline Look(cell) {
  seen_number = entered[cell];
  atomic {
    seen_target = target[cell];
    if
    :: left[cell] < seen_number
    :: else -> seen_number = 0
    fi
  }
}

inline Collect() {
  do
  :: steps == ACTORS -> break
  :: else ->
     Look(at);
     atomic {
       if
       :: seen_number == 0 -> break
       :: else ->
          number_of[steps] = seen_number;
          target_of[steps] = seen_target;
          steps++;
          at = seen_target;
          if
          :: at == me -> found = true; break
          :: else
          fi
       fi
     }
  od
}

inline Confirm() {
  do
  :: atomic { !found || i == steps -> break }
  :: else ->
#ifndef ONE_ROUND
     Look(at);
#endif
     atomic {
#ifndef ONE_ROUND
       if
       :: seen_number != number_of[i] || seen_target != target_of[i] ->
          found = false
       :: else
       fi;
#endif
       at = target_of[i];
       i++
     }
  od
}

inline Search() {
  atomic { at = me; steps = 0; found = false }
  Collect();
  if
  :: found ->
     atomic { was_cycle = IN_CYCLE(me); i = 0; at = me } /* the moment between the rounds */
     Confirm()
  :: else
  fi;
  atomic {
    seen_number = 0; seen_target = 0; at = 0; i = 0;
    do
    :: steps == 0 -> break
    :: else -> steps--; number_of[steps] = 0; target_of[steps] = 0
    od
  }
}

/* The mailbox takes it, or is full, or its actor has ended. */
inline Post(to) {
  if
  :: !closed[to] ->
     mailbox[to] ! me, number;
     waits[me] = true;
     waits_for[me] = to;
     posted = true
  :: closed[to] -> posted = false
  :: mishaps < MISHAPS -> mishaps++; posted = false
  fi
}

/* What is in its mailbox is lost. Then another one has its cell. */
inline Lose() {
  do
  :: mailbox[me] ? a, number -> Settle(a, number)
  :: empty(mailbox[me]) -> break
  od;
  atomic { a = 0; number = 0 }
}

#define MayEnd (me == ACTORS - 1 && mishaps < MISHAPS)

proctype Actor(byte me) {
  byte a, number, to, at, i, steps;
  byte seen_number, seen_target;
  byte number_of[ACTORS], target_of[ACTORS];
  bool claimed, found, was_cycle, posted;

  do
  :: mailbox[me] ? a, number ->
     if
     :: true -> Answer(a, number)
     :: atomic { mishaps < MISHAPS -> mishaps++ } /* passes the Reply on */
#ifndef KEEP_EDGE
        atomic { LeaveForGood(a, number) }
#endif
        atomic {
          if
          :: ask[a] == number -> waits[a] = false
          :: else
          fi;
          helpers ! a, number
        }
     fi;
     atomic { a = 0; number = 0 }

  :: atomic { asks[me] < 2 && asked < ASKS ->
       asked++;
       asks[me]++;
       if
       :: to = 0
       :: to = 1
       :: to = 2
       fi
     }
     atomic {
       number = entered[me] + 1;
       target[me] = to;
       ask[me] = number;
       settled[me] = false;
       told[me] = false;
       suspended[me] = true
     }
#ifdef LOOK_FIRST
     Search();
#endif
#ifdef ENTER_FIRST
     entered[me] = number;
#endif
     atomic { Post(to) }
     if
     :: posted
     :: else -> Settle(me, number)
     fi;
#ifndef ENTER_FIRST
     entered[me] = number;
#endif
#ifndef LOOK_FIRST
     Search();
#endif
     if
     :: found ->
        assert(was_cycle);
        Settle(me, number)
     :: else
     fi;
     atomic { found = false; was_cycle = false; posted = false; to = 0 }
     if
     :: told[me]
     :: atomic { MayEnd -> mishaps++ } /* ends, and abandons its ask */
        closed[me] = true;
        atomic { LeaveForGood(me, number) }
        atomic { Claim(me, number); claimed = false };
        Lose();
        closed[me] = false
     fi;
     atomic { told[me] = false; waits[me] = false; suspended[me] = false; number = 0 }
  od
}

proctype Helper() {
  byte a, number;
  bool claimed;
  do
  :: helpers ? a, number -> Settle(a, number)
  od
}

/* Runs when nothing else can. */
proctype AtRest() {
  timeout -> assert(!suspended[0] && !suspended[1] && !suspended[2])
}

init {
  atomic {
    run Helper();
    run Actor(0);
    run Actor(1);
    run Actor(2);
    run AtRest()
  }
}
