/* The slot of core/next_slot.h, whose owner sends to the receiver that is in it, and a thief that
 * takes it or leaves it there. The receiver has a queue as in mailbox_queue.h, of which one step is
 * one step here: mailbox_queue.pml is about that.
 *
 * The first message comes from somebody else; it brings the receiver to the slot, perhaps. The others
 * are one sender's, which sends the first of them from elsewhere and then moves to the owner's thread.
 *
 * Checked   N1  owner and thief are never both inside
 *           N4  the owner adds to what the receiver holds only while nobody runs it, and each message
 *               is handled once and in the order of its sender
 *           M1  at most one has the right to run the receiver
 * Memory    The owner's stores go through a store buffer (x86-TSO), which a LightFence leaves as it
 *           is and a HeavyFence empties. Weaker memory is argued in the header.
 *
 * Mutants   (spin -D<name>: the model must then fail, see run_model.sh)
 *           NO_OWNER_FLAG    the owner does not say that it is inside
 *           NO_THIEF_FLAG    the thief does not
 *           THIEF_IS_BLIND   the thief does not look whether the owner is inside
 *           NO_HEAVY_FENCE   the thief leaves the owner's store buffer alone
 *           APPEND_OUTSIDE   Append does not enter
 *           NO_NEW_TURN      Append takes for granted that the sender has been here since Put
 *           MISS_FORGOTTEN   an Append that could not enter leaves no trace
 */

#define FIRST 0 /* somebody else's message */
#define MOVED 1 /* the sender's, from elsewhere */
#define LAST 4

/* The words that owner and thief share. */
#define SLOT 0
#define INSIDE 1
bool word[2]; /* slot: the receiver is in it; owner_inside */
bool thief_flag = false;

/* The owner's store buffer, and what the owner itself reads: its own latest store. */
chan stores = [8] of { bit, bit };
byte slot_stores = 0; /* in the buffer */
bool slot_stored;     /* the newest of those */

bool put_this_turn = false; /* the owner's */

/* The receiver. */
chan held = [4] of { byte };  /* first_ */
chan queue = [4] of { byte }; /* what was pushed */
bool scheduled = false;       /* the queue is not idle: somebody has the right to run */
bool running = false;
byte expected = MOVED;
byte handled = 0;

/* Who is where, for the assertions. */
bool owner_is_inside = false;
bool thief_is_inside = false;
bool done = false;

chan moved = [0] of { bit };

inline Drain() { /* the oldest store */
  d_step {
    stores ? where, value;
    word[where] = value;
    if
    :: where == SLOT -> slot_stores--
    :: else
    fi;
    where = 0;
    value = 0
  }
}

proctype StoreBuffer() {
  bit where, value;
  do
  :: atomic { nempty(stores) -> Drain() }
  od
}

inline StoreSlot(new) {
  d_step {
    stores ! SLOT, new;
    slot_stores++;
    slot_stored = new
  }
}

#define SLOT_AS_THE_OWNER_SEES_IT (slot_stores > 0 -> slot_stored : word[SLOT])

/* ---- by whoever has the right to run */

inline RunReceiver() {
  d_step {
    assert(scheduled && !running); /* M1 */
    running = true
  }
  do
  :: atomic {
       if
       :: nempty(held) -> held ? number
       :: empty(held) && nempty(queue) -> queue ? number
       :: empty(held) && empty(queue) ->
          running = false;
          scheduled = false;
          break
       fi;
       if
       :: number == FIRST
       :: else ->
          assert(number == expected); /* N4 */
          expected++
       fi;
       handled++;
       number = 0
     }
  od
}

/* PushUnlessIdle; `mine`: the caller has the right to run, and the receiver holds the message. */
inline Push(message) {
  atomic {
    if
    :: scheduled -> queue ! message
    :: else ->
       scheduled = true;
       held ! message;
       mine = true
    fi
  }
}

/* ---- the owner */

inline Enter() { /* entered: it may go on */
#ifndef NO_OWNER_FLAG
  stores ! INSIDE, 1;
#endif
  atomic {
    entered = !thief_flag;
    if
    :: entered ->
       owner_is_inside = true;
       assert(!thief_is_inside) /* N1 */
    :: else
    fi
  }
  if
  :: entered
  :: else -> Leave()
  fi
}

inline Leave() {
  owner_is_inside = false;
#ifndef NO_OWNER_FLAG
  stores ! INSIDE, 0
#endif
}

inline PutOrRun() {
  Enter();
  if
  :: entered ->
     StoreSlot(1);
     put_this_turn = true;
     Leave()
  :: else -> RunReceiver() /* by way of the run queue */
  fi
}

inline Append(message) { /* added */
  added = false;
  if
  :: SLOT_AS_THE_OWNER_SEES_IT ->
#ifdef APPEND_OUTSIDE
     entered = true;
#else
     Enter();
#endif
     if
     :: entered ->
        if
        :: SLOT_AS_THE_OWNER_SEES_IT && (put_this_turn || len(queue) == 0) ->
           assert(scheduled && !running); /* N4 */
           held ! message;
           added = true
        :: else
        fi;
#ifndef APPEND_OUTSIDE
        Leave()
#endif
     :: else ->
#ifdef MISS_FORGOTTEN
        skip
#else
        put_this_turn = false
#endif
     fi
  :: else
  fi
}

inline SendToQueue(message) {
  mine = false;
  Push(message);
  if
  :: mine -> PutOrRun()
  :: else
  fi
}

inline Send(message) {
  Append(message);
  if
  :: added
  :: else -> SendToQueue(message)
  fi
}

inline Take() {
  do
  :: !SLOT_AS_THE_OWNER_SEES_IT -> break
  :: else ->
     Enter();
     if
     :: !entered
     :: entered ->
        mine = SLOT_AS_THE_OWNER_SEES_IT;
        StoreSlot(0);
        Leave();
        if
        :: mine -> RunReceiver()
        :: else
        fi;
        break
     fi
  od
}

inline NewTurn() {
#ifdef NO_NEW_TURN
  skip
#else
  put_this_turn = false
#endif
}

proctype Owner() {
  byte message = MOVED + 1, number;
  bool entered, added, mine;
  SendToQueue(FIRST); /* the slot is empty */
  moved ? 1;
  NewTurn();
  do
  :: message > LAST -> break
  :: else ->
     Send(message);
     message++;
     if
     :: Take(); NewTurn()
     :: true
     fi
  od;
  Take();
  done = true
}

/* The sender, before it moves. */
proctype Elsewhere() {
  byte number;
  bool mine;
  Push(MOVED);
  if
  :: mine -> RunReceiver()
  :: else
  fi;
  moved ! 1
}

/* ---- the thief */

proctype Thief() {
  byte number, tries = 0;
  bit where, value;
  bool stolen;
  do
  :: tries == 2 -> break
  :: else ->
     tries++;
#ifndef NO_THIEF_FLAG
     thief_flag = true;
#endif
#ifndef NO_HEAVY_FENCE
     atomic {
       do
       :: nempty(stores) -> Drain()
       :: empty(stores) -> break
       od
     }
#endif
     stolen = false;
     atomic {
       if
#ifndef THIEF_IS_BLIND
       :: !word[INSIDE] ->
#else
       :: true ->
#endif
          thief_is_inside = true;
          assert(!owner_is_inside); /* N1 */
          stolen = word[SLOT]
#ifndef THIEF_IS_BLIND
       :: else
#endif
       fi
     }
     if
     :: stolen -> word[SLOT] = false
     :: stolen = false /* it has become stale, or is empty */
     fi;
     atomic {
       thief_is_inside = false;
       thief_flag = false
     }
     if
     :: stolen -> RunReceiver()
     :: else
     fi
  od
}

/* Runs when nothing else can. */
proctype AtRest() {
  timeout ->
  assert(done && !scheduled && empty(held) && empty(queue) && !word[SLOT]);
  assert(handled == LAST + 1)
}

init {
  atomic {
    run StoreBuffer();
    run Owner();
    run Elsewhere();
    run Thief();
    run AtRest()
  }
}
