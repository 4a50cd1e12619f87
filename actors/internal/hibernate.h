// The message that has an idle actor give back memory; Context::HibernateWhenIdle.
#ifndef TROUPE_ACTORS_INTERNAL_HIBERNATE_H_
#define TROUPE_ACTORS_INTERNAL_HIBERNATE_H_

#include "troupe/actors/internal/envelope.h"

namespace troupe::internal {

struct Hibernate {};

void CompactActor();  // the acting one

template <class A>
void DispatchHibernate(Envelope& e, Delivery& d) {
  auto& envelope = static_cast<EnvelopeOf<Hibernate>&>(e);
  if (d.verb != Delivery::Verb::kHandle) return envelope.Lose(d);
  envelope.Free();
  A& actor = *static_cast<A*>(d.actor);
  if constexpr (requires { actor.OnHibernate(*d.self); }) {
    actor.OnHibernate(*d.self);
  } else if constexpr (requires { actor.OnHibernate(); }) {
    actor.OnHibernate();
  }
  CompactActor();
}

}  // namespace troupe::internal

#endif  // TROUPE_ACTORS_INTERNAL_HIBERNATE_H_
