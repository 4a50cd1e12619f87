#include "tests/bridges/certificates.h"

#include <gtest/gtest.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdlib.h>

#include <cstdio>
#include <filesystem>

#include "absl/strings/str_cat.h"

namespace troupe {
namespace {

std::string MakeFolder() {
  std::string folder = testing::TempDir() + "troupe-certificates-XXXXXX";
  EXPECT_NE(::mkdtemp(folder.data()), nullptr) << folder;
  return folder;
}

void Extend(X509* certificate, X509* by, int kind, const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx(&context, by, certificate, nullptr, nullptr, 0);
  X509_EXTENSION* const extension = X509V3_EXT_conf_nid(nullptr, &context, kind, value.c_str());
  ASSERT_NE(extension, nullptr) << value;
  X509_add_ext(certificate, extension, -1);
  X509_EXTENSION_free(extension);
}

template <class Write>
void WriteFile(const std::string& path, Write write) {
  std::FILE* const file = std::fopen(path.c_str(), "w");
  ASSERT_NE(file, nullptr) << path;
  EXPECT_EQ(write(file), 1) << path;
  std::fclose(file);
}

void WriteKey(const std::string& path, EVP_PKEY* key, const std::string& passphrase) {
  WriteFile(path, [&](std::FILE* file) {
    return PEM_write_PrivateKey(file, key, passphrase.empty() ? nullptr : EVP_aes_128_cbc(),
                                reinterpret_cast<const unsigned char*>(passphrase.data()),
                                static_cast<int>(passphrase.size()), nullptr, nullptr);
  });
}

}  // namespace

Authority::Authority(const std::string& name)
    : folder_(MakeFolder()),
      key_(EVP_EC_gen("P-256")),
      certificate_(Sign({.common_name = name, .alternative_names = {}}, key_.get(), nullptr,
                        "critical,CA:TRUE")) {
  WriteFile(file(), [&](std::FILE* file) { return PEM_write_X509(file, certificate_.get()); });
}

Authority::~Authority() { std::filesystem::remove_all(folder_); }

// nullptr: by itself.
Authority::Signed Authority::Sign(const Certificate& what, EVP_PKEY* key, X509* by,
                                  const char* constraints) {
  Signed made(X509_new());
  if (by == nullptr) by = made.get();
  X509_set_version(made.get(), X509_VERSION_3);
  ASN1_INTEGER_set(X509_get_serialNumber(made.get()), ++issued_);
  X509_gmtime_adj(X509_getm_notBefore(made.get()), absl::ToInt64Seconds(what.valid_from));
  X509_gmtime_adj(X509_getm_notAfter(made.get()), absl::ToInt64Seconds(what.valid_until));
  X509_NAME_add_entry_by_txt(X509_get_subject_name(made.get()), "CN", MBSTRING_UTF8,
                             reinterpret_cast<const unsigned char*>(what.common_name.c_str()), -1,
                             -1, 0);
  X509_set_issuer_name(made.get(), X509_get_subject_name(by));
  X509_set_pubkey(made.get(), key);
  Extend(made.get(), by, NID_basic_constraints, constraints);
  if (!what.alternative_names.empty()) {
    Extend(made.get(), by, NID_subject_alt_name, what.alternative_names);
  }
  EXPECT_GT(X509_sign(made.get(), key_.get(), EVP_sha256()), 0);
  return made;
}

TlsOptions Authority::Issue(const Certificate& what) {
  const std::string path = absl::StrCat(folder_, "/", issued_);
  const Key key(EVP_EC_gen("P-256"));
  const Signed made = Sign(what, key.get(), certificate_.get(), "critical,CA:FALSE");
  WriteKey(path + ".key", key.get(), what.passphrase);
  WriteFile(path + ".pem", [&](std::FILE* file) { return PEM_write_X509(file, made.get()); });
  return {.certificate_chain = path + ".pem", .private_key = path + ".key", .authorities = file()};
}

std::shared_ptr<const LinkCredentials> Authority::Credentials(const Certificate& what) {
  auto loaded = LoadTlsCredentials(Issue(what));
  EXPECT_TRUE(loaded.ok()) << loaded.status();
  return *std::move(loaded);
}

}  // namespace troupe
