//===- Npz.cpp - NumPy's archives of arrays -------------------------------===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// An archive is a zip file with one member NAME.npy for each array.
//
//===----------------------------------------------------------------------===//

#include "serrano/Support/Npz.h"
#include "serrano/Support/Error.h"
#include "llvm/ADT/ScopeExit.h"
#include "llvm/Support/FileSystem.h"
#include <memory>
#include <zip.h>

using namespace llvm;

namespace serrano {

static constexpr StringLiteral memberSuffix = ".npy";

/// Deflate cannot shrink data by more than this; a member that claims more is
/// damaged, and must not make us allocate what it claims.
static constexpr uint64_t maxDeflateRatio = 1032;

/// The first day that a zip file can express: archives carry no time of their
/// making.
static constexpr uint16_t fixedDosDate = (1 << 5) | 1;

namespace {
struct DiscardArchive {
  void operator()(zip_t *archive) const { zip_discard(archive); }
};
struct CloseMember {
  void operator()(zip_file_t *member) const { zip_fclose(member); }
};
} // namespace
using Archive = std::unique_ptr<zip_t, DiscardArchive>;
using Member = std::unique_ptr<zip_file_t, CloseMember>;

static std::string reasonOf(zip_error_t *error) {
  return lowerCaseMessage(zip_error_strerror(error));
}

static Expected<Archive> openArchive(StringRef path, int flags) {
  int code = 0;
  Archive archive(zip_open(path.str().c_str(), flags, &code));
  if (archive)
    return archive;
  zip_error_t error;
  zip_error_init_with_code(&error, code);
  scope_exit release([&] { zip_error_fini(&error); });
  return makeError("{0}: cannot open as an archive of arrays (.npz): {1}", path,
                   reasonOf(&error));
}

//===----------------------------------------------------------------------===//
// Reading
//===----------------------------------------------------------------------===//

/// An error if `status` cannot be true of a member of a file of `fileSize`
/// bytes.
static Error checkMember(const zip_stat_t &status, uint64_t fileSize,
                         StringRef where) {
  constexpr zip_uint64_t needed =
      ZIP_STAT_SIZE | ZIP_STAT_COMP_SIZE | ZIP_STAT_COMP_METHOD;
  if ((status.valid & needed) != needed)
    return makeError("{0}: damaged archive: a member without a size", where);
  if (status.comp_method != ZIP_CM_STORE &&
      status.comp_method != ZIP_CM_DEFLATE)
    return makeError("{0}: compression method {1} is not supported; write the "
                     "archive with numpy's savez or savez_compressed",
                     where, status.comp_method);
  uint64_t ratio = status.comp_method == ZIP_CM_DEFLATE ? maxDeflateRatio : 1;
  if (status.comp_size > fileSize || status.size / ratio > status.comp_size)
    return makeError("{0}: damaged archive: {1} bytes cannot be stored in {2} "
                     "bytes of a file of {3}",
                     where, status.size, status.comp_size, fileSize);
  return Error::success();
}

static Expected<std::vector<uint8_t>>
readMember(zip_t *archive, uint64_t index, uint64_t size, StringRef where) {
  Member member(zip_fopen_index(archive, index, 0));
  if (!member)
    return makeError("{0}: cannot read: {1}", where,
                     reasonOf(zip_get_error(archive)));
  // One byte more than there should be: the checksum is compared at the end of
  // the member only.
  std::vector<uint8_t> bytes(size + 1);
  uint64_t done = 0;
  while (done < bytes.size()) {
    zip_int64_t count =
        zip_fread(member.get(), &bytes[done], bytes.size() - done);
    if (count < 0)
      return makeError("{0}: cannot read: {1}", where,
                       reasonOf(zip_file_get_error(member.get())));
    if (count == 0)
      break;
    done += count;
  }
  if (done != size)
    return makeError("{0}: damaged archive: the array has {1} {2} bytes that "
                     "the archive claims",
                     where, done < size ? "fewer than the" : "more than the",
                     size);
  bytes.pop_back();
  return bytes;
}

Expected<NpzArrays> readNpz(StringRef path) {
  uint64_t fileSize = 0;
  if (std::error_code code = sys::fs::file_size(path, fileSize))
    return makeFileError(path, "open", code);
  Expected<Archive> archive = openArchive(path, ZIP_RDONLY);
  if (!archive)
    return archive.takeError();

  NpzArrays arrays;
  zip_int64_t count = zip_get_num_entries(archive->get(), 0);
  for (zip_int64_t index = 0; index < count; ++index) {
    zip_stat_t status;
    if (zip_stat_index(archive->get(), index, 0, &status) != 0 ||
        !(status.valid & ZIP_STAT_NAME))
      return makeError("{0}: damaged archive: member {1} has no name", path,
                       index);
    StringRef name = status.name;
    if (!name.consume_back(memberSuffix))
      return makeError("{0}: member '{1}' is not an array: its name does not "
                       "end in {2}",
                       path, escapeControls(name), memberSuffix);
    std::string where =
        formatv("{0}: array '{1}'", path, escapeControls(name));
    if (Error error = checkMember(status, fileSize, where))
      return std::move(error);
    Expected<std::vector<uint8_t>> bytes =
        readMember(archive->get(), index, status.size, where);
    if (!bytes)
      return bytes.takeError();
    Expected<NpyArray> array = parseNpy(*bytes, where);
    if (!array)
      return array.takeError();
    if (!arrays.emplace(name.str(), std::move(*array)).second)
      return makeError("{0}: is in the archive twice", where);
  }
  return arrays;
}

//===----------------------------------------------------------------------===//
// Writing
//===----------------------------------------------------------------------===//

/// Adds a member that is read from `header` and `array` when the archive is
/// closed; both have to live until then.
static bool addMember(zip_t *archive, StringRef name, const std::string &header,
                      const NpyArray &array, bool compress) {
  zip_buffer_fragment_t fragments[2];
  fragments[0].data =
      reinterpret_cast<zip_uint8_t *>(const_cast<char *>(header.data()));
  fragments[0].length = header.size();
  fragments[1].data = const_cast<zip_uint8_t *>(array.bytes.data());
  fragments[1].length = array.bytes.size();
  unsigned fragmentCount = array.bytes.empty() ? 1 : 2;
  zip_source_t *source =
      zip_source_buffer_fragment(archive, fragments, fragmentCount, 0);
  if (!source)
    return false;
  std::string member = (name + memberSuffix).str();
  zip_int64_t index =
      zip_file_add(archive, member.c_str(), source, ZIP_FL_ENC_UTF_8);
  if (index < 0) {
    zip_source_free(source);
    return false;
  }
  return zip_set_file_compression(archive, index,
                                  compress ? ZIP_CM_DEFLATE : ZIP_CM_STORE,
                                  0) == 0 &&
         zip_file_set_dostime(archive, index, 0, fixedDosDate, 0) == 0;
}

Error writeNpz(StringRef path, const NpzArrays &arrays, bool compress) {
  // Of an empty archive libzip would make no file at all.
  if (arrays.empty())
    return makeError("{0}: cannot write: there are no arrays", path);
  if (sys::fs::exists(path) && !sys::fs::is_regular_file(path))
    return makeError("{0}: cannot write: not a regular file", path);
  // libzip writes a file of its own beside `path` and renames it when the
  // archive is closed.
  Expected<Archive> archive = openArchive(path, ZIP_CREATE | ZIP_TRUNCATE);
  if (!archive)
    return archive.takeError();
  std::vector<std::string> headers;
  headers.reserve(arrays.size());
  for (const auto &[name, array] : arrays) {
    assert(array.bytes.size() == array.size() * npyTypeSize(array.type) &&
           "array has other bytes than its shape");
    headers.push_back(npyHeader(array));
    if (!addMember(archive->get(), name, headers.back(), array, compress))
      return makeError("{0}: array '{1}': cannot write: {2}", path, name,
                       reasonOf(zip_get_error(archive->get())));
  }
  if (zip_close(archive->get()) != 0)
    return makeError("{0}: cannot write: {1}", path,
                     reasonOf(zip_get_error(archive->get())));
  // A successful zip_close has freed it.
  (void)archive->release();
  return Error::success();
}

} // namespace serrano
