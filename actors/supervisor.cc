#include "troupe/actors/supervisor.h"

#include <cstddef>
#include <new>
#include <set>
#include <source_location>
#include <stdexcept>
#include <string_view>
#include <utility>

#include "absl/strings/str_cat.h"
#include "troupe/actors/internal/actor_cell.h"
#include "troupe/actors/internal/actor_space.h"
#include "troupe/actors/internal/control.h"
#include "troupe/actors/internal/envelope.h"
#include "troupe/actors/internal/supervision.h"
#include "troupe/actors/internal/supervisor_recipe.h"

namespace troupe {

using internal::ActorCell;
using internal::ActorSpace;
using internal::ChildReport;
using internal::ChildSpec;
using internal::Control;
using internal::Supervised;
using internal::Supervision;
using internal::SupervisorRecipe;

// ---- launching

namespace internal {
namespace {

ActorOptions OptionsOf(const ChildSpec& spec) {
  ActorOptions options = spec.options.actor;
  options.name = spec.options.name;
  return options;
}

std::unique_ptr<Supervised> SupervisedBy(const ActorCell& supervisor) {
  auto supervised = std::make_unique<Supervised>();
  supervised->supervisor = supervisor.ref();
  return supervised;
}

// A supervisor that waits for kBegin, and that the caller has the right to run.
AnyRef LaunchHeld(ActorSpace& space, ActorCell* parent, const SupervisorOptions& options,
                  const ActorOptions& actor_options, std::unique_ptr<Supervised> supervised) {
  using Memory = std::unique_ptr<void, decltype([](void* memory) {
                                   FreeActorMemory(memory, sizeof(Supervisor), alignof(Supervisor));
                                 })>;
  Memory memory(AllocateActorMemory(sizeof(Supervisor), alignof(Supervisor)));
  std::unique_ptr<Supervisor, decltype([](Supervisor* s) { DestroyActor<Supervisor>(s); })> made(
      new (memory.get()) Supervisor(options));
  memory.release();
  made->supervision().WaitForBegin();
  const AnyRef ref = space.Launch(parent, made.get(), kActorType<Supervisor>, actor_options,
                                  std::move(supervised), /*held=*/true);
  if (ref) made.release();
  return ref;
}

Supervision& SupervisionOf(const AnyRef& held) {
  return static_cast<Supervisor*>(ActorCell::Of(held)->actor())->supervision();
}

AnyRef LaunchHeldChild(ActorCell& supervisor, const ChildSpec& spec,
                       const SupervisorOptions& options) {
  std::unique_ptr<Supervised> supervised = SupervisedBy(supervisor);
  supervised->vacant = false;
  return LaunchHeld(supervisor.space(), &supervisor, options, OptionsOf(spec),
                    std::move(supervised));
}

}  // namespace

AnyRef LaunchVacant(ActorCell& supervisor, const ChildSpec& spec) {
  std::unique_ptr<Supervised> supervised = SupervisedBy(supervisor);
  supervised->recipe = spec.recipe;
  supervised->keeps_mailbox = spec.options.mailbox == MailboxOnRestart::kKeep;
  return supervisor.space().Launch(&supervisor, nullptr, *spec.type, OptionsOf(spec),
                                   std::move(supervised), /*held=*/false);
}

AnyRef SupervisorRecipe::Launch(ActorCell& supervisor, const ChildSpec& spec) const {
  const AnyRef held = LaunchHeldChild(supervisor, spec, options_);
  if (is_building_) return held;
  try {
    for (const ChildSpec& child : children_) SupervisionOf(held).Add(*ActorCell::Of(held), child);
  } catch (...) {
    Control& finish = Control::Make(Control::Kind::kFinish);
    ActorCell::PostControl(held, finish);
    ActorCell::Of(held)->LetRun();
    throw;
  }
  ActorCell::Of(held)->LetRun();
  return held;
}

absl::Status CheckOptions(const ChildOptions& o, const SupervisorOptions& supervisor) {
  if (o.significant && o.restart == Restart::kPermanent) {
    return absl::InvalidArgumentError("a significant child must be transient or temporary");
  }
  if (o.significant && supervisor.auto_shutdown == AutoShutdown::kNever) {
    return absl::InvalidArgumentError("a significant child needs a supervisor with auto_shutdown");
  }
  if (o.actor.capacity == 0) {
    return absl::InvalidArgumentError("ActorOptions::capacity must be at least 1");
  }
  if (!(o.backoff.jitter >= 0 && o.backoff.jitter <= 1)) {
    return absl::InvalidArgumentError("Backoff::jitter must be 0 to 1");
  }
  return absl::OkStatus();
}

void SendReport(const Supervised& child, ChildReport report) {
  constexpr Thunk kThunk = ThunkFor<Supervisor, ChildReport>();
  auto* e = EnvelopeOf<ChildReport>::Make(kThunk, std::move(report), std::source_location());
  e->sender = e->message.who;
  e->address = ActorCell::IncarnationOf(child.supervisor) | kExempt;
  ActorCell::Post(child.supervisor, *e, PostMode::kNeverBlock);
}

}  // namespace internal

// ---- Supervisor

Supervisor::Supervisor(SupervisorOptions options)
    : supervision_(std::make_unique<Supervision>(std::move(options))) {}
Supervisor::~Supervisor() = default;

void Supervisor::Start(ChildSpec spec, OnStarted on_started, Context& self) {
  supervision_->StartChild(std::move(spec), std::move(on_started), self);
}
void Supervisor::On(TerminateChild m, Reply<void> reply, Context& self) {
  supervision_->TerminateChild(m.child, std::move(reply), self);
}
void Supervisor::On(RestartChild m, Reply<AnyRef> reply, Context& self) {
  auto shared = std::make_shared<Reply<AnyRef>>(std::move(reply));
  supervision_->RestartChild(
      m.name, [shared](absl::StatusOr<AnyRef> started) { shared->Send(std::move(started)); }, self);
}
absl::Status Supervisor::On(DeleteChild m) { return supervision_->DeleteChild(m.name); }
std::vector<ChildInfo> Supervisor::On(WhichChildren) { return supervision_->WhichChildren(); }
ChildCounts Supervisor::On(CountChildren) { return supervision_->CountChildren(); }
absl::StatusOr<ChildOptions> Supervisor::On(const GetChildOptions& m) {
  return supervision_->OptionsOf(m.child);
}
void Supervisor::On(ChildReport report, Context& self) {
  supervision_->Take(std::move(report), self);
}
void Supervisor::On(internal::SupervisorWake, Context& self) { supervision_->TakeWake(self); }
void Supervisor::Obey(const Control& order, Context& self) { supervision_->Obey(order, self); }

absl::Status CheckChildOptions(const std::vector<ChildOptions>& children,
                               const SupervisorOptions& supervisor) {
  std::set<std::string_view> names;
  for (size_t i = 0; i < children.size(); ++i) {
    const ChildOptions& child = children[i];
    absl::Status wrong = internal::CheckOptions(child, supervisor);
    if (!child.name.empty() && !names.insert(child.name).second) {
      wrong = absl::AlreadyExistsError("another one has this name");
    }
    if (wrong.ok()) continue;
    return absl::Status(wrong.code(),
                        absl::StrCat("child ", i + 1, " \"", child.name, "\": ", wrong.message()));
  }
  return absl::OkStatus();
}

// ---- SupervisorTree

struct SupervisorTree::Building {
  std::vector<AnyRef> held;  // whom this thread has the right to run
  std::vector<std::shared_ptr<SupervisorRecipe>> recipes;
  bool started = false;

  void LetRun() {
    for (const auto& recipe : recipes) recipe->FinishBuilding();
    for (const AnyRef& supervisor : held) ActorCell::Of(supervisor)->LetRun();
    held.clear();
    started = true;
  }
};

SupervisorTree::SupervisorTree(ActorSpace& space, ActorCell* parent, SupervisorOptions options)
    : SupervisorTree(
          std::make_shared<Building>(),
          ActorRef<Supervisor>(internal::LaunchHeld(space, parent, options, {}, nullptr)),
          std::make_shared<SupervisorRecipe>(options)) {
  is_root_ = true;
}
SupervisorTree::SupervisorTree(Context& self, SupervisorOptions options)
    : SupervisorTree(self.space(), self.parent(), std::move(options)) {}
SupervisorTree::SupervisorTree(std::shared_ptr<Building> building, ActorRef<Supervisor> ref,
                               std::shared_ptr<SupervisorRecipe> recipe)
    : building_(std::move(building)), ref_(ref), recipe_(std::move(recipe)) {
  building_->recipes.push_back(recipe_);
  if (ref_) building_->held.push_back(ref_);
}
SupervisorTree::SupervisorTree(SupervisorTree&& other) noexcept = default;

SupervisorTree::~SupervisorTree() {
  if (!is_root_ || building_ == nullptr || building_->started) return;
  ref_.Stop();
  building_->LetRun();
}

AnyRef SupervisorTree::AddChild(ChildSpec spec) {
  if (building_->started) throw std::logic_error("Troupe: the SupervisorTree has been started");
  if (!ref_) return AnyRef();
  const AnyRef ref = internal::SupervisionOf(ref_).Add(*ActorCell::Of(ref_), spec);
  recipe_->Add(std::move(spec));
  return ref;
}

SupervisorTree SupervisorTree::AddSupervisor(ChildOptions child, SupervisorOptions options) {
  auto recipe = std::make_shared<SupervisorRecipe>(std::move(options));
  const AnyRef ref = AddChild({.options = std::move(child),
                               .recipe = recipe,
                               .type = &internal::kActorType<Supervisor>,
                               .is_supervisor = true});
  return SupervisorTree(building_, ActorRef<Supervisor>(ref), std::move(recipe));
}

ActorRef<Supervisor> SupervisorTree::Start() {
  if (building_->started) throw std::logic_error("Troupe: the SupervisorTree has been started");
  if (ref_) ActorCell::PostControl(ref_, Control::Make(Control::Kind::kBegin));
  building_->LetRun();
  return ref_;
}

}  // namespace troupe
