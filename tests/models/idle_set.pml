/* runtime/internal/idle_set.h with the workers and submitters around it (work_stealing_scheduler.cc):
 * two threads submit three pieces of work, three workers run it, search, sleep and are woken. All handlers but
 * one may never return.
 *
 * Checked   I1   when all has come to rest, no submitted work is left, although only one worker is not
 *                stuck
 *           I2   a worker that is woken was counted as parked; counts never go below zero
 * Not here  Weak memory: every statement is sequentially consistent, which the fences in the header
 *           are for. Whose queue the work is in: every worker looks at all of them. The LIFO slot.
 *
 * Mutants   (spin -D<name>: the model must then fail, see run_model.sh)
 *           NOTIFY_FIRST           a submitter looks for sleepers before its work is visible
 *           NO_LOOK_AT_SLEEP       a worker goes to sleep without looking at the queues once more
 *           LOOK_BEFORE_SLEEP      it looks before it has counted itself as parked
 *           ONLY_SEARCHERS_LOOK    a worker that was refused to search does not look (as in tokio)
 *           NO_LOOK_AT_END         a searcher that finds work does not look for more
 */

#define WORKERS 3
#define SUBMITTERS 2
#define NOBODY 255

byte work = 0; /* in all queues together */
byte searching = 0;
byte parked = 0;
bool sleeper[WORKERS]; /* sleepers_ */
bool token[WORKERS];   /* the parker has been notified */
byte stuck = 0;        /* handlers that do not return */
byte ended = 0;

/* Waking: a look without the lock, a second one with it, then the wake-up itself. */
inline WakeOne() {
  if
  :: searching == 0 && parked > 0 ->
     atomic {
       wake = NOBODY;
       if
       :: searching == 0 && parked > 0 ->
          if
          :: sleeper[0] -> wake = 0
          :: sleeper[1] -> wake = 1
          :: sleeper[2] -> wake = 2
          fi;
          sleeper[wake] = false;
          parked--;
          searching++
       :: else
       fi
     }
     atomic {
       if
       :: wake != NOBODY -> token[wake] = true
       :: else
       fi;
       wake = 0
     }
  :: else
  fi
}

inline TryTake() {
  atomic {
    got = false;
    if
    :: work > 0 -> work--; got = true
    :: else
    fi
  }
}

proctype Worker(byte me) {
  bool got;
  bool search = false; /* counted as searching */
  bool nobody;
  byte wake;
end:
  do
  :: TryTake();
     if
     :: !got && !search ->
        atomic { /* BeginSearch */
          if
          :: 2 * searching < WORKERS -> searching++; search = true
          :: else
          fi
        }
     :: else
     fi;
     if
     :: !got && search -> TryTake()
     :: else
     fi;
     if
     :: got && search ->
        atomic { /* EndSearch: P1 */
          assert(searching > 0);
          searching--;
          search = false;
          nobody = (searching == 0)
        }
#ifndef NO_LOOK_AT_END
        if
        :: nobody && work > 0 -> WakeOne() /* P2 */
        :: else
        fi
#endif
     :: else
     fi;
     if
     :: got -> /* the handler */
        if
        :: atomic { stuck < WORKERS - 1 -> stuck++; got = false; nobody = false }
           break
        :: atomic { got = false; nobody = false }
        fi
     :: else ->
        /* Sleep */
#ifdef LOOK_BEFORE_SLEEP
        if
        :: work > 0 -> WakeOne()
        :: else
        fi;
#endif
        atomic { /* P1 */
          sleeper[me] = true;
          parked++;
          nobody = (searching == (search -> 1 : 0));
#ifdef ONLY_SEARCHERS_LOOK
          nobody = nobody && search;
#endif
          searching = searching - (search -> 1 : 0);
          search = false
        }
#if !defined(NO_LOOK_AT_SLEEP) && !defined(LOOK_BEFORE_SLEEP)
        if
        :: nobody && work > 0 -> WakeOne() /* P2 */
        :: else
        fi;
#endif
endpark:
        atomic { token[me] -> token[me] = false; nobody = false; search = true }
        assert(!sleeper[me]) /* I2; whoever woke us has counted us as searching */
     fi
  od
}

proctype Submitter(byte jobs) {
  byte wake;
  do
  :: jobs > 0 ->
#ifdef NOTIFY_FIRST
     WakeOne();
     work++;
#else
     work++;    /* S1 */
     WakeOne(); /* S2 */
#endif
     jobs--
  :: else -> break
  od;
  ended++
}

init {
  atomic {
    run Worker(0);
    run Worker(1);
    run Worker(2);
    run Submitter(2);
    run Submitter(1)
  }
  timeout; /* all has come to rest */
  assert(ended == SUBMITTERS);
  assert(work == 0) /* I1 */
}
