// Certificates for tls://, made when a server first needs them.
#ifndef TROUPE_EXAMPLES_CHAT_CERTIFICATES_H_
#define TROUPE_EXAMPLES_CHAT_CERTIFICATES_H_

#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "troupe/runtime/bridges/tls.h"

namespace chat {

using Credentials = std::shared_ptr<const troupe::LinkCredentials>;

// An authority of the chat's own. A certificate for the server, under all names and addresses of this
// machine. And one for clients, which does not let them pose as the server.
inline constexpr char kMakeCertificates[] = R"sh(
set -e
umask 077
mkdir -p "$0"
cd "$0"
test -e server.pem && exit
new="-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes"
names="DNS:localhost,DNS:$(hostname),IP:127.0.0.1"
for ip in $(hostname -I); do names="$names,IP:$ip"; done
sign() {  # sign WHO EXTENSION
  openssl req $new -subj "/CN=chat $1" -addext "$2" -keyout $1.key -out $1.csr
  openssl x509 -req -in $1.csr -copy_extensions copy -days 3650 \
      -CA authority.pem -CAkey authority.key -CAcreateserial -out $1.pem
}
exec 2>/dev/null
openssl req -x509 $new -days 3650 -subj "/CN=chat authority" -keyout authority.key -out authority.pem
sign client extendedKeyUsage=clientAuth
sign server "subjectAltName=$names"
)sh";

// Where they are. Clients on other machines are given copies of authority.pem, client.pem and client.key.
inline std::string CertificateFolder() {
  const char* home = std::getenv("HOME");
  return absl::StrCat(home != nullptr ? home : ".", "/.troupe-chat");
}

inline absl::Status MakeCertificates() {
  const std::string folder = CertificateFolder();
  const pid_t child = ::fork();
  if (child == 0) {
    ::execlp("sh", "sh", "-c", kMakeCertificates, folder.c_str(), nullptr);
    ::_exit(127);
  }
  int status = 0;
  if (child > 0 && ::waitpid(child, &status, 0) == child && status == 0) return absl::OkStatus();
  return absl::UnavailableError(absl::StrCat("no certificates could be made in ", folder));
}

// Of the "server" or the "client".
inline absl::StatusOr<Credentials> LoadCredentials(const std::string& who) {
  const std::string folder = CertificateFolder();
  return troupe::LoadTlsCredentials({.certificate_chain = absl::StrCat(folder, "/", who, ".pem"),
                                     .private_key = absl::StrCat(folder, "/", who, ".key"),
                                     .authorities = absl::StrCat(folder, "/authority.pem")});
}

// What a node needs for this address: nothing, unless it is tls://. Before there are threads.
inline absl::StatusOr<Credentials> ServerCredentials(const std::string& address) {
  if (!address.starts_with("tls://")) return nullptr;
  if (absl::Status failed = MakeCertificates(); !failed.ok()) return failed;
  return LoadCredentials("server");
}
inline absl::StatusOr<Credentials> ClientCredentials(const std::string& address) {
  if (!address.starts_with("tls://")) return nullptr;
  return LoadCredentials("client");
}

}  // namespace chat

#endif  // TROUPE_EXAMPLES_CHAT_CERTIFICATES_H_
