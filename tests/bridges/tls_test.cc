// TLS between nodes: who is let in, who they have proved to be, and what that lets them find.
#include "troupe/runtime/bridges/tls.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <openssl/ssl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cstdlib>
#include <functional>
#include <future>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "tests/bridges/certificates.h"
#include "troupe/runtime/bridges/memory_link.h"
#include "troupe/runtime/bridges/node.h"
#include "troupe/troupe.h"

namespace troupe {
namespace {

constexpr absl::Duration kLong = absl::Seconds(60);  // a guard against hanging

struct Greet {
  using Reply = std::string;
  std::string whom;
};
class Greeter {
 public:
  std::string On(const Greet& m) { return "hello, " + m.whom; }
};

// A bank that listens with TLS, and somebody who wants in.
class TlsTest : public testing::Test {
 protected:
  TlsTest() {
    EXPECT_TRUE(bank_.Publish<Greet>("greeter", greeter_).ok());
    const absl::StatusOr<std::string> at = bank_.Listen("tls://127.0.0.1:0");
    EXPECT_TRUE(at.ok()) << at.status();
    address_ = at.value_or("");
  }

  std::string At(const std::string& scheme, const std::string& host = "127.0.0.1") const {
    return absl::StrCat(scheme, "://", host, address_.substr(address_.rfind(':')));
  }
  absl::StatusOr<Peer> ConnectWith(std::shared_ptr<const LinkCredentials> tls,
                                   const std::string& address) {
    client_ = std::make_unique<Node>(system_, NodeOptions{.tls = std::move(tls)});
    return client_->Connect(address, kLong).Wait();
  }
  absl::StatusOr<Peer> ConnectWith(std::shared_ptr<const LinkCredentials> tls) {
    return ConnectWith(std::move(tls), address_);
  }
  static std::string Ask(const Peer& peer) {
    const auto greeter = peer.Find<Greet>("greeter", kLong).Wait();
    if (!greeter.ok()) return std::string(greeter.status().message());
    return greeter->Ask(Greet{"world"}, kLong).Wait().value_or("no answer");
  }
  void ExpectRefusal(const std::string& why) {
    while (bank_.stats().refused == 0) std::this_thread::yield();
    EXPECT_TRUE(absl::StrContains(bank_.stats().last_refusal, why))
        << bank_.stats().last_refusal << ", not: " << why;
  }

  System system_;
  Authority authority_;
  ActorRef<Greeter> greeter_ = system_.Spawn<Greeter>();
  Node bank_{system_,
             {.name = "bank",
              .tls = authority_.Credentials({.common_name = "bank"}),
              .handshake_timeout = kLong}};
  std::unique_ptr<Node> client_;
  std::string address_;
};

// ---- who is let in

TEST_F(TlsTest, NodesOfOneAuthorityTalk) {
  EXPECT_TRUE(absl::StartsWith(address_, "tls://127.0.0.1:")) << address_;
  const absl::StatusOr<Peer> peer = ConnectWith(authority_.Credentials());
  ASSERT_TRUE(peer.ok()) << peer.status();
  EXPECT_EQ(Ask(*peer), "hello, world");
  EXPECT_EQ(peer->name(), "bank at " + address_);
}

TEST_F(TlsTest, ALongMessageGoesThroughUnharmed) {
  const absl::StatusOr<Peer> peer = ConnectWith(authority_.Credentials());
  ASSERT_TRUE(peer.ok()) << peer.status();
  const auto greeter = peer->Find<Greet>("greeter", kLong).Wait();
  ASSERT_TRUE(greeter.ok()) << greeter.status();
  std::string long_name;
  while (long_name.size() < 500'000) absl::StrAppend(&long_name, long_name.size(), ",");
  EXPECT_TRUE(greeter->Ask(Greet{long_name}, kLong).Wait().value_or("") == "hello, " + long_name);
}

TEST_F(TlsTest, APlainClientIsRefused) {
  EXPECT_FALSE(ConnectWith(nullptr, At("tcp")).ok());
  ExpectRefusal("tls: ");
}

TEST_F(TlsTest, ATlsClientOfAPlainNodeLearnsThatItIsOne) {
  Node plain(system_);
  const absl::StatusOr<std::string> at = plain.Listen("tcp://127.0.0.1:0");
  ASSERT_TRUE(at.ok()) << at.status();
  const absl::Status refused =
      ConnectWith(authority_.Credentials(), "tls" + at->substr(3)).status();
  EXPECT_FALSE(refused.ok());
}

TEST_F(TlsTest, AClientOfAForeignAuthorityIsRefused) {
  Authority foreign("foreign");
  TlsOptions options = foreign.Issue();
  options.authorities = authority_.file();  // it does trust the bank
  const absl::StatusOr<Peer> peer = ConnectWith(*LoadTlsCredentials(options));
  EXPECT_EQ(peer.status().code(), absl::StatusCode::kUnauthenticated) << peer.status();
  ExpectRefusal("tls: the peer's certificate: unable to get local issuer certificate");
}

TEST_F(TlsTest, AServerOfAForeignAuthorityIsNotTrusted) {
  Authority foreign("foreign");
  TlsOptions options = authority_.Issue();
  options.authorities = foreign.file();
  const absl::Status refused = ConnectWith(*LoadTlsCredentials(options)).status();
  EXPECT_EQ(refused.code(), absl::StatusCode::kUnauthenticated);
  EXPECT_EQ(std::string(refused.message()),
            "tls: the peer's certificate: unable to get local issuer certificate");
  ExpectRefusal("unknown ca");  // it is told why
}

TEST_F(TlsTest, ACertificateThatHasExpiredIsRefused) {
  // It was valid when the node started. Where a second is over before that, for longer.
  absl::Duration valid = absl::Seconds(1);
  TlsOptions options = authority_.Issue({.valid_until = valid});
  absl::StatusOr<std::shared_ptr<const LinkCredentials>> tls = LoadTlsCredentials(options);
  while (!tls.ok() && valid < absl::Minutes(1)) {
    options = authority_.Issue({.valid_until = valid *= 2});
    tls = LoadTlsCredentials(options);
  }
  for (;;) {  // until it is not any more
    const absl::Status now = LoadTlsCredentials(options).status();
    if (!now.ok()) {
      EXPECT_EQ(now.code(), absl::StatusCode::kFailedPrecondition);
      EXPECT_TRUE(absl::StrContains(now.message(), "the certificate has expired: ")) << now;
      break;
    }
    std::this_thread::yield();
  }
  ASSERT_TRUE(tls.ok()) << tls.status();
  EXPECT_EQ(ConnectWith(*tls).status().code(), absl::StatusCode::kUnauthenticated);
  ExpectRefusal("tls: the peer's certificate: certificate has expired");
}

TEST_F(TlsTest, WhoDialsChecksTheHostsName) {
  Node other(system_, {.tls = authority_.Credentials({.common_name = "localhost",
                                                      .alternative_names = "DNS:other.example"})});
  const absl::StatusOr<std::string> at = other.Listen("tls://127.0.0.1:0");
  ASSERT_TRUE(at.ok()) << at.status();
  const std::string by_name = absl::StrCat("tls://localhost", at->substr(at->rfind(':')));
  for (const std::string& address : {*at, by_name}) {
    const absl::Status refused = ConnectWith(authority_.Credentials(), address).status();
    EXPECT_EQ(refused.code(), absl::StatusCode::kUnauthenticated);
    EXPECT_TRUE(absl::StrContains(refused.message(), "mismatch")) << refused;
  }
  TlsOptions careless = authority_.Issue();
  careless.check_host = false;
  EXPECT_TRUE(ConnectWith(*LoadTlsCredentials(careless), by_name).ok());
  EXPECT_TRUE(ConnectWith(authority_.Credentials(), At("tls", "localhost")).ok());
}

// A client of OpenSSL's own, which lets us do what ours does not. It expects nothing.
void DialByHand(const std::string& address, const std::function<void(SSL_CTX*)>& prepare) {
  const int fd = ::socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in at{};
  at.sin_family = AF_INET;
  at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  at.sin_port =
      htons(static_cast<uint16_t>(std::atoi(address.substr(address.rfind(':') + 1).c_str())));
  ASSERT_EQ(::connect(fd, reinterpret_cast<sockaddr*>(&at), sizeof(at)), 0);
  SSL_CTX* const context = SSL_CTX_new(TLS_client_method());
  prepare(context);
  SSL* const ssl = SSL_new(context);
  SSL_set_fd(ssl, fd);
  char byte;
  if (SSL_connect(ssl) == 1) {
    EXPECT_LE(SSL_read(ssl, &byte, 1), 0) << "it has been let in";
  }
  SSL_free(ssl);
  SSL_CTX_free(context);
  ::close(fd);
}

TEST_F(TlsTest, AClientWithoutCertificateIsRefused) {
  DialByHand(address_, [](SSL_CTX*) {});
  ExpectRefusal("tls: peer did not return a certificate");
}

TEST_F(TlsTest, OlderVersionsAreRefused) {
  DialByHand(address_,
             [](SSL_CTX* context) { SSL_CTX_set_max_proto_version(context, TLS1_2_VERSION); });
  ExpectRefusal("tls: unsupported protocol");
}

// ---- who they have proved to be

TEST_F(TlsTest, IdentityIsWhatTheCertificateSays) {
  std::promise<PeerIdentity> seen;
  ASSERT_TRUE(bank_
                  .Publish<Greet>("who", greeter_,
                                  {.allow =
                                       [&](const PeerIdentity& peer) {
                                         seen.set_value(peer);
                                         return true;
                                       }})
                  .ok());
  const absl::StatusOr<Peer> peer = ConnectWith(authority_.Credentials(
      {.common_name = "Zoë",
       .alternative_names = "DNS:a.example,DNS:b.example,IP:10.0.0.1,IP:2001:db8::1,"
                            "URI:spiffe://bank.example/teller,email:zoe@bank.example"}));
  ASSERT_TRUE(peer.ok()) << peer.status();
  ASSERT_TRUE(peer->Find<Greet>("who", kLong).Wait().ok());
  const PeerIdentity client = seen.get_future().get();
  EXPECT_EQ(client.common_name, "Zoë");
  EXPECT_EQ(client.dns_names, (std::vector<std::string>{"a.example", "b.example"}));
  EXPECT_EQ(client.ip_addresses, (std::vector<std::string>{"10.0.0.1", "2001:db8::1"}));
  EXPECT_EQ(client.uris, std::vector<std::string>{"spiffe://bank.example/teller"});
  EXPECT_EQ(peer->identity().common_name, "bank");
  EXPECT_EQ(peer->identity().dns_names, std::vector<std::string>{"localhost"});
}

// Nor with one of somebody else who claims to be that node.
TEST_F(TlsTest, AConnectionOverTlsIsNotAnsweredWithAPlainOneToTheSameNode) {
  const absl::StatusOr<std::string> plain_address = bank_.Listen("tcp://127.0.0.1:0");
  ASSERT_TRUE(plain_address.ok()) << plain_address.status();
  const absl::StatusOr<Peer> plain = ConnectWith(authority_.Credentials(), *plain_address);
  ASSERT_TRUE(plain.ok()) << plain.status();
  const absl::StatusOr<Peer> secure = client_->Connect(address_, kLong).Wait();
  ASSERT_TRUE(secure.ok()) << secure.status();
  EXPECT_EQ(secure->id(), plain->id());
  EXPECT_EQ(secure->identity().common_name, "bank");
  EXPECT_EQ(plain->identity(), PeerIdentity());
  EXPECT_EQ(Ask(*secure), "hello, world");
}

TEST_F(TlsTest, APolicySaysWhoFindsAName) {
  const auto tellers = [](const PeerIdentity& peer) { return peer.common_name == "teller"; };
  const auto throws = [](const PeerIdentity&) -> bool { throw std::runtime_error("oops"); };
  ASSERT_TRUE(bank_.Publish<Greet>("vault", greeter_, {.allow = tellers}).ok());
  ASSERT_TRUE(bank_.Publish<Greet>("nobody's", greeter_, {.allow = throws}).ok());
  for (const std::string who : {"teller", "customer"}) {
    const absl::StatusOr<Peer> peer = ConnectWith(authority_.Credentials({.common_name = who}));
    ASSERT_TRUE(peer.ok()) << peer.status();
    EXPECT_EQ(peer->Find<Greet>("vault", kLong).Wait().status().code(),
              who == "teller" ? absl::StatusCode::kOk : absl::StatusCode::kPermissionDenied);
    EXPECT_EQ(peer->Find<Greet>("nobody's", kLong).Wait().status().code(),
              absl::StatusCode::kPermissionDenied);
    EXPECT_EQ(Ask(*peer), "hello, world");  // of which nothing was said
  }
}

TEST_F(TlsTest, WithoutTlsAPeerIsNobody) {
  ASSERT_TRUE(
      bank_
          .Publish<Greet>("known", greeter_,
                          {.allow = [](const PeerIdentity& p) { return p != PeerIdentity(); }})
          .ok());
  auto [here, there] = MakeMemoryLink();
  bank_.Serve(std::move(there));
  Node client(system_, {.name = "bank"});  // that is but what it says
  const absl::StatusOr<Peer> peer = client.Attach(std::move(here), kLong).Wait();
  ASSERT_TRUE(peer.ok()) << peer.status();
  EXPECT_EQ(peer->identity(), PeerIdentity());
  EXPECT_EQ(peer->Find<Greet>("known", kLong).Wait().status().code(),
            absl::StatusCode::kPermissionDenied);
}

// ---- what is wrong with options

TEST_F(TlsTest, AnAddressWithTlsNeedsCredentials) {
  Node node(system_);
  EXPECT_EQ(node.Listen("tls://127.0.0.1:0").status().code(),
            absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(node.Connect(address_, kLong).Wait().status().code(),
            absl::StatusCode::kFailedPrecondition);
}

TEST_F(TlsTest, ItListensBeyondLoopbackWithoutBeingAskedByName) {
  EXPECT_TRUE(bank_.Listen("tls://0.0.0.0:0").ok());
}

TEST(TlsOptionsTest, EachMistakeHasItsSentence) {
  Authority authority;
  const TlsOptions good = authority.Issue();
  const TlsOptions other = authority.Issue();
  EXPECT_TRUE(LoadTlsCredentials(good).ok());

  const auto expect = [](const TlsOptions& options, absl::StatusCode code,
                         const std::string& text) {
    const absl::Status status = LoadTlsCredentials(options).status();
    EXPECT_EQ(status.code(), code) << status;
    EXPECT_TRUE(absl::StrContains(status.message(), text)) << status;
  };
  using Field = std::string TlsOptions::*;
  const std::vector<std::pair<Field, std::string>> fields = {
      {&TlsOptions::certificate_chain, "certificate_chain"},
      {&TlsOptions::private_key, "private_key"},
      {&TlsOptions::authorities, "authorities"}};
  for (const auto& [field, name] : fields) {
    TlsOptions bad = good;
    bad.*field = "";
    expect(bad, absl::StatusCode::kInvalidArgument, name + " \"\" is missing");
    bad.*field = "/nowhere/x.pem";
    expect(bad, absl::StatusCode::kNotFound, name + " \"/nowhere/x.pem\"");
    bad.*field = "/dev/null";
    expect(bad, absl::StatusCode::kInvalidArgument, name + " \"/dev/null\": ");
  }
  TlsOptions mixed = good;
  mixed.private_key = other.private_key;
  expect(mixed, absl::StatusCode::kInvalidArgument, "does not belong to the first certificate");
  expect(authority.Issue({.passphrase = "secret"}), absl::StatusCode::kInvalidArgument,
         "private_key");
  expect(authority.Issue({.valid_from = -absl::Hours(2), .valid_until = -absl::Hours(1)}),
         absl::StatusCode::kFailedPrecondition, "the certificate has expired: ");
  expect(authority.Issue({.valid_from = absl::Hours(1), .valid_until = absl::Hours(2)}),
         absl::StatusCode::kFailedPrecondition, "the certificate is not valid before ");
}

// ---- bytes that somebody on the way has changed

// Hands on what is written, with one byte of it changed.
class Spoiler final : public Link {
 public:
  explicit Spoiler(std::unique_ptr<Link> link) : link_(std::move(link)) {}
  void Start(std::shared_ptr<LinkEvents> events) override { link_->Start(std::move(events)); }
  size_t Write(std::span<const std::string_view> parts) override {
    std::string bytes;
    for (const std::string_view part : parts) bytes += part;
    if (spoil && !bytes.empty()) bytes.back() = static_cast<char>(bytes.back() ^ 1);
    return link_->Write(std::array{std::string_view(bytes)});
  }
  void AwaitWritable() override { link_->AwaitWritable(); }
  void Close(absl::Status why) override { link_->Close(std::move(why)); }
  std::string peer() const override { return link_->peer(); }

  std::atomic<bool> spoil = false;

 private:
  const std::unique_ptr<Link> link_;
};

TEST_F(TlsTest, AByteThatWasChangedOnTheWayIsTheEnd) {
  auto [here, there] = MakeMemoryLink();
  const auto tls = authority_.Credentials();
  bank_.Serve(tls->Accept(std::move(there)));
  auto spoiler = std::make_unique<Spoiler>(std::move(here));
  std::atomic<bool>& spoil = spoiler->spoil;
  Node client(system_);
  const absl::StatusOr<Peer> peer =
      client.Attach(tls->Connect(std::move(spoiler), "localhost"), kLong).Wait();
  ASSERT_TRUE(peer.ok()) << peer.status();
  EXPECT_EQ(Ask(*peer), "hello, world");
  const auto greeter = peer->Find<Greet>("greeter", kLong).Wait();
  ASSERT_TRUE(greeter.ok()) << greeter.status();
  spoil.store(true);
  EXPECT_TRUE(IsNodeLost(greeter->Ask(Greet{"world"}, kLong).Wait().status()));
  ExpectRefusal("tls: decryption failed or bad record mac");
}

// ---- a peer that never reads

// A link whose other end the test is.
class OpenEnd final : public Link {
 public:
  void Start(std::shared_ptr<LinkEvents> events) override { this->events = std::move(events); }
  size_t Write(std::span<const std::string_view> parts) override {
    size_t taken = 0;
    for (const std::string_view part : parts) taken += is_full ? 0 : part.size();
    if (!is_full) {
      for (const std::string_view part : parts) written += part;
    }
    return taken;
  }
  void AwaitWritable() override {}
  void Close(absl::Status status) override { why = std::move(status); }
  std::string peer() const override { return "test://"; }

  std::shared_ptr<LinkEvents> events;
  std::string written;
  bool is_full = false;
  absl::Status why;
};
class Deaf final : public LinkEvents {
  void OnBytes(std::string_view) override {}
  void OnWritable() override {}
  void OnClosed(const absl::Status&) override {}
};

TEST_F(TlsTest, WhoAsksForNewKeysWithoutEndAndReadsNothingIsCutOff) {
  auto end = std::make_unique<OpenEnd>();
  OpenEnd& plain = *end;
  const auto link = authority_.Credentials()->Accept(std::move(end));
  link->Start(std::make_shared<Deaf>());

  const TlsOptions mine = authority_.Issue();
  SSL_CTX* const context = SSL_CTX_new(TLS_client_method());
  SSL_CTX_use_certificate_chain_file(context, mine.certificate_chain.c_str());
  SSL_CTX_use_PrivateKey_file(context, mine.private_key.c_str(), SSL_FILETYPE_PEM);
  SSL* const client = SSL_new(context);
  SSL_set_connect_state(client);
  SSL_set_bio(client, BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
  const auto step = [&] {
    BIO_write(SSL_get_rbio(client), plain.written.data(), static_cast<int>(plain.written.size()));
    plain.written.clear();
    SSL_do_handshake(client);
    std::array<char, 8192> bytes;
    const int count = BIO_read(SSL_get_wbio(client), bytes.data(), bytes.size());
    if (count > 0) plain.events->OnBytes({bytes.data(), static_cast<size_t>(count)});
  };
  while (!SSL_is_init_finished(client) && plain.why.ok()) step();
  ASSERT_TRUE(plain.why.ok()) << plain.why;
  plain.is_full = true;
  for (int i = 0; i < 100'000 && plain.why.ok(); ++i) {
    SSL_key_update(client, SSL_KEY_UPDATE_REQUESTED);  // each is answered
    step();
  }
  EXPECT_EQ(plain.why, absl::ResourceExhaustedError("tls: the peer does not read"));
  std::exchange(plain.events, nullptr)->OnClosed(plain.why);
  SSL_free(client);
  SSL_CTX_free(context);
}

}  // namespace
}  // namespace troupe
