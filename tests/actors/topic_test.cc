#include "troupe/actors/topic.h"

#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "tests/actors/simulated.h"
#include "troupe/troupe.h"

namespace troupe {
namespace {

struct Price {
  int cents = 0;
};
struct Join {
  Topic<Price> topic;
  Retained retained;
};

using Seen = std::vector<int>;

class Reader {
 public:
  explicit Reader(Seen& seen) : seen_(seen) {}
  void On(Price price) { seen_.push_back(price.cents); }
  void On(Join m, Context& self) { m.topic.Subscribe(self.ref(this), m.retained); }

 private:
  Seen& seen_;
};

class TopicTest : public Simulated {
 protected:
  // A subscriber that writes into seen_[its number].
  ActorRef<Reader> Make(const ActorOptions& options = {}) {
    seen_.push_back(std::make_unique<Seen>());
    return system_.Spawn<Reader>(options, *seen_.back());
  }
  const Seen& SeenBy(size_t reader) {
    Run();
    return *seen_[reader];
  }

  std::vector<std::unique_ptr<Seen>>& seen_ = Keep<std::vector<std::unique_ptr<Seen>>>();
  Topic<Price> topic_ = SpawnTopic<Price>(system_, {.name = "prices"});
};

TEST_F(TopicTest, WhatIsPublishedReachesEverySubscriberInOrder) {
  topic_.Subscribe(Make());
  topic_.Subscribe(Make());
  for (int i = 1; i <= 3; ++i) EXPECT_EQ(topic_.Publish(Price{i}), SendResult::kQueued);
  EXPECT_EQ(SeenBy(0), (Seen{1, 2, 3}));
  EXPECT_EQ(SeenBy(1), (Seen{1, 2, 3}));
}

TEST_F(TopicTest, ASubscriberGetsWhatIsPublishedAfterItsSubscription) {
  topic_.Publish(Price{1});
  topic_.Subscribe(Make());
  topic_.Publish(Price{2});
  EXPECT_EQ(SeenBy(0), (Seen{2}));
}

TEST_F(TopicTest, ASubscriberThatAsksForItGetsTheRetainedValueFirst) {
  topic_.Publish(Price{1});
  topic_.Publish(Price{2});
  Run();
  topic_.Subscribe(Make(), Retained::kDeliver);
  topic_.Publish(Price{3});
  EXPECT_EQ(SeenBy(0), (Seen{2, 3}));
}

TEST_F(TopicTest, WhereNothingWasPublishedNothingIsRetained) {
  topic_.Subscribe(Make(), Retained::kDeliver);
  EXPECT_TRUE(SeenBy(0).empty());
  topic_.Publish(Price{3});
  EXPECT_EQ(SeenBy(0), (Seen{3}));
}

TEST_F(TopicTest, AnActorSubscribesItself) {
  topic_.Publish(Price{1});
  Make().Send(Join{topic_, Retained::kDeliver});
  Run();
  topic_.Publish(Price{2});
  EXPECT_EQ(SeenBy(0), (Seen{1, 2}));
}

TEST_F(TopicTest, SubscribingTwiceIsSubscribingOnceButAsksForTheRetainedValueAgain) {
  auto reader = Make();
  topic_.Subscribe(reader);
  topic_.Publish(Price{1});
  topic_.Subscribe(reader, Retained::kDeliver);
  topic_.Publish(Price{2});
  EXPECT_EQ(SeenBy(0), (Seen{1, 1, 2}));
}

TEST_F(TopicTest, AfterUnsubscribeNothingComesUntilTheNextSubscription) {
  auto reader = Make();
  topic_.Subscribe(reader);
  topic_.Publish(Price{1});
  topic_.Unsubscribe(reader);
  topic_.Publish(Price{2});
  topic_.Unsubscribe(reader);
  topic_.Subscribe(reader);
  topic_.Publish(Price{3});
  EXPECT_EQ(SeenBy(0), (Seen{1, 3}));
}

TEST_F(TopicTest, NobodySubscribesInVain) {
  EXPECT_EQ(topic_.Subscribe(ActorRef<Reader>(), Retained::kDeliver), SendResult::kQueued);
  topic_.Publish(Price{1});
  Run();
  EXPECT_EQ(system_.stats().dead_letters_total(), 0u);
}

TEST_F(TopicTest, ASubscriberThatHasEndedIsForgotten) {
  auto first = Make();
  topic_.Subscribe(first);
  topic_.Subscribe(Make());
  Run();
  first.Stop();
  Run();
  topic_.Publish(Price{1});
  EXPECT_EQ(SeenBy(1), (Seen{1}));
  EXPECT_EQ(system_.stats().dead_letters_total(), 0u) << "the topic does not send to it any more";
}

TEST_F(TopicTest, ASubscriberThatHadEndedBeforeIsForgotten) {
  auto first = Make();
  first.Stop();
  Run();
  topic_.Subscribe(first);
  Run();
  topic_.Publish(Price{1});
  Run();
  EXPECT_EQ(system_.stats().dead_letters_total(), 0u);
}

TEST_F(TopicTest, AFullSubscriberDoesWhatItsPolicySaysAndHoldsUpNobody) {
  topic_.Subscribe(Make({.capacity = 1, .when_full = WhenFull::kBlock}));
  topic_.Subscribe(Make({.capacity = 1, .when_full = WhenFull::kFail}));
  topic_.Subscribe(Make({.capacity = 1, .when_full = WhenFull::kDropNewest}));
  topic_.Subscribe(Make({.capacity = 1, .when_full = WhenFull::kDropOldest}));
  topic_.Subscribe(Make());
  for (int i = 1; i <= 3; ++i) topic_.Publish(Price{i});
  Run();  // the topic passes all three on before any subscriber has a turn
  EXPECT_EQ(SeenBy(0), (Seen{1}));
  EXPECT_EQ(SeenBy(1), (Seen{1}));
  EXPECT_EQ(SeenBy(2), (Seen{1}));
  EXPECT_EQ(SeenBy(3), (Seen{3}));
  EXPECT_EQ(SeenBy(4), (Seen{1, 2, 3}));
  EXPECT_EQ(LettersFor(DeadLetterReason::kFull), 4u);
  EXPECT_EQ(LettersFor(DeadLetterReason::kDroppedNewest), 2u);
  EXPECT_EQ(LettersFor(DeadLetterReason::kDroppedOldest), 2u);
  for (const DeadLetter& letter : letters_) EXPECT_EQ(letter.sender, topic_);
}

TEST_F(TopicTest, ALargeValueIsSharedAndNotCopied) {
  using Image = std::shared_ptr<const std::string>;
  auto& seen = Keep<std::vector<const std::string*>>();
  auto images = SpawnTopic<Image>(system_);
  for (int i = 0; i < 3; ++i) {
    images.Subscribe(system_.Spawn([&seen](Image image) { seen.push_back(image.get()); }),
                     Retained::kDeliver);
  }
  const auto image = std::make_shared<const std::string>("large");
  images.Publish(image);
  Run();
  EXPECT_EQ(seen, std::vector<const std::string*>(3, image.get()));
}

TEST_F(TopicTest, ATopicIsARecipientOfWhatIsPublishedThere) {
  topic_.Subscribe(Make());
  const Recipient<Price> publisher = topic_;
  publisher.Send(Price{1});
  system_.SendAfter(absl::Seconds(1), publisher, Price{2});
  Advance(absl::Seconds(1));
  EXPECT_EQ(SeenBy(0), (Seen{1, 2}));
}

TEST_F(TopicTest, ATopicMaySubscribeToAnother) {
  auto all = SpawnTopic<Price>(system_);
  topic_.Subscribe(all);
  all.Subscribe(Make());
  topic_.Publish(Price{1});
  EXPECT_EQ(SeenBy(0), (Seen{1}));
}

TEST_F(TopicTest, TheSenderOfAValueIsTheTopic) {
  AnyRef sender;
  topic_.Subscribe(system_.Spawn([&sender](Price, Context& self) { sender = self.sender(); }));
  topic_.Publish(Price{1});
  Run();
  EXPECT_EQ(sender, topic_);
}

TEST_F(TopicTest, AfterTheEndOfATopicPublishSaysSoAndSubscribersLiveOn) {
  topic_.Subscribe(Make());
  Run();
  topic_.Stop();
  Run();
  EXPECT_EQ(topic_.Publish(Price{1}), SendResult::kClosed);
  EXPECT_EQ(system_.stats().live, 1u);
  EXPECT_EQ(Topic<Price>().Publish(Price{1}), SendResult::kClosed);
}

TEST_F(TopicTest, ADrainedTopicPassesOnWhatWasPublishedBefore) {
  topic_.Subscribe(Make());
  topic_.Publish(Price{1});
  topic_.Stop(StopWhen::kDrained);
  EXPECT_EQ(SeenBy(0), (Seen{1}));
}

TEST_F(TopicTest, ATopicIsAChildOfTheActorThatSpawnsIt) {
  struct Go {};
  Topic<Price> topic;
  auto parent = system_.Spawn([&topic](Go, Context& self) { topic = SpawnTopic<Price>(self); });
  parent.Send(Go{});
  Run();
  EXPECT_EQ(topic.Publish(Price{1}), SendResult::kQueued);
  parent.Stop();
  Run();
  EXPECT_EQ(topic.Publish(Price{1}), SendResult::kClosed);
}

TEST_F(TopicTest, ABoundedTopicDoesWhatItsPolicySays) {
  auto bounded = SpawnTopic<Price>(system_, {.capacity = 1, .when_full = WhenFull::kFail});
  EXPECT_EQ(bounded.Publish(Price{1}), SendResult::kQueued);
  EXPECT_EQ(bounded.Publish(Price{2}), SendResult::kFull);
  EXPECT_THROW(SpawnTopic<Price>(system_, {.capacity = 0}), std::invalid_argument);
}

TEST_F(TopicTest, AValueThatCannotBeCopiedAnyMoreFailsTheTopic) {
  struct Brittle {
    Brittle() = default;
    Brittle(Brittle&&) noexcept = default;
    Brittle(const Brittle&) { throw std::runtime_error("broke while being copied"); }
  };
  auto brittle = SpawnTopic<Brittle>(system_);
  brittle.Subscribe(system_.Spawn([](Brittle) {}));
  brittle.Publish(Brittle());
  Run();
  EXPECT_EQ(brittle.Publish(Brittle()), SendResult::kClosed);
}

}  // namespace
}  // namespace troupe
