// The one header an application includes.
#ifndef TROUPE_TROUPE_H_
#define TROUPE_TROUPE_H_

#include "troupe/actors/actor_options.h"
#include "troupe/actors/actor_ref.h"
#include "troupe/actors/any_ref.h"
#include "troupe/actors/ask.h"
#include "troupe/actors/context.h"
#include "troupe/actors/dead_letter.h"
#include "troupe/actors/event_stream.h"
#include "troupe/actors/exit.h"
#include "troupe/actors/named_recipient.h"
#include "troupe/actors/naming.h"
#include "troupe/actors/pool.h"
#include "troupe/actors/recipient.h"
#include "troupe/actors/reply.h"
#include "troupe/actors/router.h"
#include "troupe/actors/routing.h"
#include "troupe/actors/send_result.h"
#include "troupe/actors/spawning.h"
#include "troupe/actors/stash.h"
#include "troupe/actors/state_machine.h"
#include "troupe/actors/stream.h"
#include "troupe/actors/supervisor.h"
#include "troupe/actors/supervisor_options.h"
#include "troupe/actors/timer_handle.h"
#include "troupe/actors/timing.h"
#include "troupe/actors/topic.h"
#if defined(__clang__) || __GNUC__ >= 13  // see core/task.h
#include "troupe/actors/coroutine.h"
#include "troupe/actors/process.h"
#endif
#include "troupe/runtime/dispatcher_options.h"
#include "troupe/runtime/options.h"
#include "troupe/runtime/stats.h"
#include "troupe/runtime/system.h"

#endif  // TROUPE_TROUPE_H_
