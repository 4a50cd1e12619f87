#include "troupe/runtime/bridges/internal/certificate.h"

#include <arpa/inet.h>
#include <openssl/asn1.h>
#include <openssl/x509v3.h>

#include <memory>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "troupe/runtime/bridges/internal/tls_link.h"

namespace troupe::internal {
namespace {

std::string TextOf(const ASN1_STRING* text) {
  return {reinterpret_cast<const char*>(ASN1_STRING_get0_data(text)),
          static_cast<size_t>(ASN1_STRING_length(text))};
}

std::string CommonNameOf(const X509* certificate) {
  const X509_NAME* const subject = X509_get_subject_name(certificate);
  const int place = X509_NAME_get_index_by_NID(subject, NID_commonName, -1);
  if (place < 0) return {};
  unsigned char* utf8 = nullptr;
  const int size =
      ASN1_STRING_to_UTF8(&utf8, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, place)));
  if (size < 0) return {};
  std::string name(reinterpret_cast<const char*>(utf8), static_cast<size_t>(size));
  OPENSSL_free(utf8);
  return name;
}

// 4 or 16 bytes as text. Empty: they are no address.
std::string AddressOf(const ASN1_STRING* bytes) {
  char text[INET6_ADDRSTRLEN];
  const int size = ASN1_STRING_length(bytes);
  if (size != 4 && size != 16) return {};
  ::inet_ntop(size == 4 ? AF_INET : AF_INET6, ASN1_STRING_get0_data(bytes), text, sizeof(text));
  return text;
}

void AddName(const GENERAL_NAME& name, PeerIdentity& identity) {
  switch (name.type) {
    case GEN_DNS:
      identity.dns_names.push_back(TextOf(name.d.dNSName));
      break;
    case GEN_URI:
      identity.uris.push_back(TextOf(name.d.uniformResourceIdentifier));
      break;
    case GEN_IPADD:
      if (std::string address = AddressOf(name.d.iPAddress); !address.empty()) {
        identity.ip_addresses.push_back(std::move(address));
      }
      break;
    default:
      break;
  }
}

std::string Printed(const ASN1_TIME* time) {
  const std::unique_ptr<BIO, OpenSslFree<BIO_free_all>> text(BIO_new(BIO_s_mem()));
  if (text == nullptr || ASN1_TIME_print(text.get(), time) != 1) return "an unreadable time";
  char* bytes = nullptr;
  const long size = BIO_get_mem_data(text.get(), &bytes);
  return {bytes, static_cast<size_t>(size)};
}

}  // namespace

PeerIdentity IdentityOf(const SSL* ssl) {
  PeerIdentity identity;
  const X509* const certificate = SSL_get0_peer_certificate(ssl);
  if (certificate == nullptr) return identity;
  identity.common_name = CommonNameOf(certificate);
  const std::unique_ptr<GENERAL_NAMES, OpenSslFree<GENERAL_NAMES_free>> names(
      static_cast<GENERAL_NAMES*>(
          X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr)));
  for (int i = 0; i < sk_GENERAL_NAME_num(names.get()); ++i) {
    AddName(*sk_GENERAL_NAME_value(names.get(), i), identity);
  }
  return identity;
}

absl::Status CheckValidNow(const X509* certificate) {
  const ASN1_TIME* const from = X509_get0_notBefore(certificate);
  const ASN1_TIME* const until = X509_get0_notAfter(certificate);
  if (X509_cmp_current_time(until) <= 0) {
    return absl::FailedPreconditionError(
        absl::StrCat("the certificate has expired: ", Printed(until)));
  }
  if (X509_cmp_current_time(from) >= 0) {
    return absl::FailedPreconditionError(
        absl::StrCat("the certificate is not valid before ", Printed(from)));
  }
  return absl::OkStatus();
}

}  // namespace troupe::internal
