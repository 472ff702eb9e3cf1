/* A program that was written for the vendor's classes, as far as its lines about shared memory go: it includes what such
 * programs include, fills headers by hand and asks for nothing of ours. `wide` or `narrow` says which names it passes.
 *
 *   sender NAME SIZE                   constructs one with a size; `err STATE TEXT` where it is not to be had
 *   send COUNT LENGTH RATE SEED NAMES  resizes where that is needed, locks, fills the block, unlocks
 *   send-loose …                       the same without the lock
 *   send-and-hold …                    the same, and keeps the lock
 *   resize SIZE, size, detach, lock, try-lock MS, unlock, state
 *   receiver NAME                      constructs one without a size
 *   read                               `frame …`, or `none STATE`
 *   read-cached                        with the pointer that the last `read` got
 *   wait MS                            1: something is new
 *   image-send NUMBER FORMAT WIDTH HEIGHT BYTES, image-read
 *   mutex NAME, mutex-lock MS, mutex-unlock
 */
#include "CHOP_SharedMemHeader.h"
#include "TOP_SharedMemHeader.h"
#include "UT_Mutex.h"
#include "UT_SharedMem.h"

#include "peer.hpp"

#include <algorithm>

static bool wide;
static std::unique_ptr<UT_SharedMem> shm;
static std::unique_ptr<UT_Mutex> mutex;
static const void *cached;

static ShmString name_of(const std::string &name)
{
    if (wide) {
        return ShmString(std::wstring(name.begin(), name.end()).c_str());
    }
    return ShmString(name.c_str());
}

static std::string state()
{
    return std::to_string(static_cast<int>(shm->getErrorState()));
}

static void construct(std::unique_ptr<UT_SharedMem> one)
{
    shm = std::move(one);
}

static void fill(CHOP_SharedMemHeader *header, const Channels &channels)
{
    header->magicNumber = CHOP_SHARED_MEM_MAGIC_NUMBER;
    header->version = CHOP_SHARED_MEM_VERSION_NUMBER;
    header->numChans = static_cast<int>(channels.count);
    header->length = static_cast<int>(channels.length);
    header->sampleRate = channels.rate;
    header->namesSent = channels.named;
    header->channelDataOffset = sizeof(CHOP_SharedMemHeader);
    const auto samples = channels.samples();
    header->nameDataOffset = header->channelDataOffset + static_cast<int>(samples.size() * sizeof(float));
    std::copy(samples.begin(), samples.end(), header->getChannelData());
    char *to = header->getNameData();
    if (channels.named) {
        for (const std::string &one : channels.names()) {
            std::memcpy(to, one.c_str(), one.size() + 1);
            to += one.size() + 1;
        }
    }
    header->size = static_cast<int>(to - reinterpret_cast<char *>(header));
}

static std::string send(const Channels &channels, bool locks, bool holds)
{
    std::size_t needed = sizeof(CHOP_SharedMemHeader) + channels.count * channels.length * sizeof(float);
    for (const std::string &one : channels.names()) {
        needed += one.size() + 1;
    }
    if (locks && !shm->lock()) {
        throw Refusal{static_cast<int>(shm->getErrorState()), "no lock"};
    }
    if (shm->getSize() < needed && !shm->resize(needed)) {
        shm->unlock();
        throw Refusal{static_cast<int>(shm->getErrorState()), "no room"};
    }
    auto *header = static_cast<CHOP_SharedMemHeader *>(shm->getMemory());
    if (!header) {
        throw Refusal{static_cast<int>(shm->getErrorState()), "no memory"};
    }
    fill(header, channels);
    if (locks && !holds && !shm->unlock()) {
        throw Refusal{-1, "not unlocked"};
    }
    return {};
}

static std::string read(const void *memory)
{
    const auto *header = static_cast<const CHOP_SharedMemHeader *>(memory);
    if (!header || header->magicNumber != CHOP_SHARED_MEM_MAGIC_NUMBER) {
        return "none " + state();
    }
    std::vector<std::string> names;
    const char *at = header->getNameData();
    for (int i = 0; header->namesSent && i < header->numChans; i++) {
        names.emplace_back(at);
        at += names.back().size() + 1;
    }
    const auto count = static_cast<std::size_t>(header->numChans), length = static_cast<std::size_t>(header->length);
    return seen(count, length, header->sampleRate, header->getChannelData(), false, names);
}

static std::string send_image(const Picture &picture)
{
    const auto rows = picture.bottom_first();
    const std::size_t needed = sizeof(TOP_SharedMemHeader) + rows.size();
    if (shm->getSize() < needed && !shm->resize(needed)) {
        throw Refusal{static_cast<int>(shm->getErrorState()), "no room"};
    }
    if (!shm->lock()) {
        throw Refusal{static_cast<int>(shm->getErrorState()), "no lock"};
    }
    auto *header = static_cast<TOP_SharedMemHeader *>(shm->getMemory());
    header->magicNumber = TOP_SHARED_MEM_MAGIC_NUMBER;
    header->version = TOP_SHARED_MEM_VERSION_NUMBER;
    header->width = static_cast<int>(picture.width);
    header->height = static_cast<int>(picture.height);
    header->aspectx = 1;
    header->aspecty = 1;
    header->pixelFormat = picture.format;
    header->dataSize = static_cast<std::int64_t>(rows.size());
    header->dataOffset = header->calcDataOffset();
    std::memcpy(header->getImage(), rows.data(), rows.size());
    shm->unlock();
    return {};
}

static std::string read_image()
{
    if (!shm->lock()) {
        return "none " + state();
    }
    std::string line = "none";
    const auto *header = static_cast<const TOP_SharedMemHeader *>(shm->getMemory());
    if (header && header->magicNumber == TOP_SHARED_MEM_MAGIC_NUMBER) {
        Picture picture{};
        picture.format = header->pixelFormat;
        picture.width = static_cast<std::size_t>(header->width);
        picture.height = static_cast<std::size_t>(header->height);
        picture.bytes_per_pixel = static_cast<std::size_t>(header->dataSize) / picture.width / picture.height;
        line = seen(picture, static_cast<const unsigned char *>(header->getImage()));
    }
    shm->unlock();
    return line == "none" ? "none " + state() : line;
}

static std::string obey(const std::string &command, Words &words)
{
    if (command == "sender") {
        const auto name = word<std::string>(words);
        construct(std::make_unique<UT_SharedMem>(name_of(name), word<std::size_t>(words)));
        if (shm->getErrorState() != UT_SHM_ERR_NONE) {
            throw Refusal{static_cast<int>(shm->getErrorState()), shm->getErrorString(shm->getErrorState())};
        }
        return {};
    }
    if (command == "receiver") {
        construct(std::make_unique<UT_SharedMem>(name_of(word<std::string>(words))));
        return state();
    }
    if (command == "mutex") {
        mutex = std::make_unique<UT_Mutex>(name_of(word<std::string>(words)));
        return {};
    }
    if (command == "mutex-lock") {
        return mutex->lock(word<int>(words)) ? "1" : "0";
    }
    if (command == "mutex-unlock") {
        return mutex->unlock() ? "1" : "0";
    }
    if (!shm) {
        throw Refusal{-1, "construct one first"};
    }
    if (command == "send" || command == "send-loose" || command == "send-and-hold") {
        return send(Channels::of(words), command != "send-loose", command == "send-and-hold");
    }
    if (command == "read") {
        const bool locked = shm->lock();
        cached = shm->getMemory();
        const std::string line = read(cached);
        if (locked) {
            shm->unlock();
        }
        return line;
    }
    if (command == "read-cached") {
        const bool locked = shm->lock();
        const std::string line = read(cached);
        if (locked) {
            shm->unlock();
        }
        return line;
    }
    if (command == "wait") {
        return shm->waitForFrame(word<int>(words)) ? "1" : "0";
    }
    if (command == "image-send") {
        return send_image(Picture::of(words));
    }
    if (command == "image-read") {
        return read_image();
    }
    if (command == "resize") {
        return shm->resize(word<std::size_t>(words)) ? "1" : "0";
    }
    if (command == "size") {
        return std::to_string(shm->getSize());
    }
    if (command == "detach") {
        return shm->detach() ? "1" : "0";
    }
    if (command == "lock") {
        return shm->lock() ? "1" : "0";
    }
    if (command == "try-lock") {
        return shm->tryLock(word<int>(words)) ? "1" : "0";
    }
    if (command == "unlock") {
        return shm->unlock() ? "1" : "0";
    }
    if (command == "state") {
        return state();
    }
    if (command == "close") {
        shm.reset();
        return {};
    }
    throw Refusal{-1, "no such command: " + command};
}

int main(int argc, char **argv)
{
    wide = argc > 1 && std::string(argv[1]) == "wide";
    return obey_all(obey);
}
