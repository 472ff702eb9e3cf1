/* What UT_SharedMem.h promises inside of one process: names, locks that are taken twice or not at all, resizing under the
 * lock, copies that do not compile, threads. Prints the first thing that is not so, and ends with 1. */
#include <tdshm/UT_SharedMem.h>

#include "checks.hpp"

#include <atomic>
#include <memory>
#include <type_traits>

static_assert(!std::is_copy_constructible_v<UT_SharedMem> && !std::is_copy_assignable_v<UT_SharedMem>);
static_assert(!std::is_copy_constructible_v<UT_Mutex> && !std::is_copy_assignable_v<UT_Mutex>);
static_assert(std::is_same_v<decltype(std::declval<UT_SharedMem &>().lock()), bool>);
static_assert(std::is_same_v<decltype(std::declval<UT_SharedMem &>().unlock()), bool>);
static_assert(UT_SHM_ERR_NONE == 0 && UT_SHM_ERR_ALREADY_EXISTS == 1 && UT_SHM_ERR_DOES_NOT_EXIST == 2);
static_assert(UT_SHM_ERR_INFO_ALREADY_EXISTS == 3 && UT_SHM_ERR_INFO_DOES_NOT_EXIST == 4);
static_assert(UT_SHM_ERR_UNABLE_TO_MAP == 5 && UT_SHM_ERR_UNABLE_TO_LOCK_INFO == 6);

static void names()
{
    CHECK(ShmString("mocap").utf8() == "mocap");
    CHECK(ShmString(L"mocap").utf8() == "mocap");
    CHECK(ShmString(std::string("mocap")) == ShmString(std::wstring(L"mocap")));
    CHECK(ShmString(L"h\u00f6he \u2603").utf8() == "h\xc3\xb6he \xe2\x98\x83");
    CHECK(ShmString("h\xc3\xb6he \xe2\x98\x83") == ShmString(L"h\u00f6he \u2603"));
    CHECK(ShmString(L"\U0001F600").utf8() == "\xf0\x9f\x98\x80");
    CHECK(ShmString("\xf0\x9f\x98\x80") == ShmString(L"\U0001F600"));
    CHECK(ShmString().empty() && ShmString(static_cast<const char *>(nullptr)).empty());
    CHECK(ShmString(static_cast<const wchar_t *>(nullptr)).empty());
#ifdef _WIN32
    // Text of before 2019, which is no UTF-8: taken as Latin-1.
    CHECK(ShmString("h\xf6he") == ShmString(L"h\u00f6he"));
    static_assert(std::is_base_of_v<std::wstring, ShmString>);
#else
    static_assert(std::is_base_of_v<std::string, ShmString>);
#endif
    // Half a surrogate pair is no character: refused, and no other name.
    const wchar_t half[] = {static_cast<wchar_t>(0xd83d), L'a', 0};
    UT_SharedMem broken(ShmString(half), 16);
    CHECK(broken.getErrorState() == UT_SHM_ERR_UNABLE_TO_MAP && broken.getMemory() == nullptr);
    UT_SharedMem empty(ShmString(""), 16);
    CHECK(empty.getErrorState() == UT_SHM_ERR_UNABLE_TO_MAP);
}

static void life(const std::string &name)
{
    UT_SharedMem receiver(name.c_str());
    CHECK(receiver.getErrorState() == UT_SHM_ERR_DOES_NOT_EXIST);
    CHECK(receiver.getMemory() == nullptr && receiver.getSize() == 0);
    CHECK(!receiver.resize(100) && !receiver.waitForFrame(0));
    CHECK(receiver.lock() && receiver.getMemory() == nullptr && receiver.unlock());
    CHECK(!receiver.unlock());

    {
        UT_SharedMem sender(name.c_str(), 100);
        CHECK(sender.getErrorState() == UT_SHM_ERR_NONE && *sender.getErrorString() == 0);
        CHECK(sender.getSize() == 100 && sender.getName() == ShmString(name));
        UT_SharedMem second(ShmString(name), 100);
        CHECK(second.getErrorState() == UT_SHM_ERR_INFO_ALREADY_EXISTS && second.getMemory() == nullptr);
        CHECK(*UT_SharedMem::getErrorString(second.getErrorState()) != 0 && second.getSize() == 0);
        CHECK(!second.lock() && !second.unlock());

        // The receiver comes by itself, and gets its memory before the lock as well as after it.
        CHECK(receiver.getErrorState() == UT_SHM_ERR_NONE);
        auto *to = static_cast<unsigned char *>(sender.getMemory());
        const auto *from = static_cast<const unsigned char *>(receiver.getMemory());
        CHECK(to && from && to != from);
        CHECK(sender.lock());
        CHECK(sender.lock() && sender.getMemory() == to);
        to[0] = 7;
        CHECK(!receiver.tryLock(0));
        CHECK(sender.unlock() && !sender.unlock());
        CHECK(receiver.waitForFrame(5000));
        CHECK(receiver.lock() && receiver.lock());
        CHECK(static_cast<const unsigned char *>(receiver.getMemory())[0] == 7 && from[0] == 7);
        CHECK(receiver.unlock() && !receiver.unlock());
        CHECK(!receiver.waitForFrame(0));

        // What is written without the lock is a frame at the next look at the memory.
        static_cast<unsigned char *>(sender.getMemory())[0] = 8;
        CHECK(!receiver.waitForFrame(0));
        sender.getMemory();
        CHECK(receiver.waitForFrame(5000) && from[0] == 8);

        // Larger, under the lock: what lay there lies there still, and the receiver follows.
        CHECK(sender.lock());
        CHECK(sender.resize(300000) && sender.getSize() == 300000);
        to = static_cast<unsigned char *>(sender.getMemory());
        CHECK(to && to[0] == 8 && to[299999] == 0);
        to[299999] = 9;
        CHECK(sender.unlock());
        // What was given out before is still there, until the memory is asked for again.
        CHECK(receiver.lock() && from[0] == 8 && receiver.unlock());
        from = static_cast<const unsigned char *>(receiver.getMemory());
        CHECK(from && from[0] == 8 && from[299999] == 9);
        // Smaller stays where it is.
        CHECK(sender.resize(10) && sender.getSize() == 10 && sender.getMemory() == to);
        CHECK(!sender.resize(0) && sender.getMemory() == to);
        CHECK(!sender.resize(std::size_t{1} << 40) && sender.getErrorState() == UT_SHM_ERR_UNABLE_TO_MAP);
        CHECK(sender.lock() && sender.unlock());

        // The second one tries again when it is told to, and not before the first has left.
        CHECK(!second.resize(50));
        sender.detach();
        CHECK(sender.detach() && sender.getMemory() == nullptr && !sender.lock() && !sender.resize(10));
        CHECK(second.resize(50) && second.getErrorState() == UT_SHM_ERR_NONE && second.getMemory() != nullptr);
        CHECK(receiver.lock() && from[0] == 8 && receiver.unlock());
        CHECK(receiver.getMemory() != nullptr && receiver.getErrorState() == UT_SHM_ERR_NONE);
        CHECK(second.lock());
        // And goes while it is locked.
    }
    CHECK(receiver.getMemory() == nullptr && receiver.getErrorState() == UT_SHM_ERR_INFO_DOES_NOT_EXIST);
    CHECK(receiver.lock() && receiver.getMemory() == nullptr && receiver.unlock());

    std::unique_ptr<UT_SharedMem> again = std::make_unique<UT_SharedMem>(ShmString(name), 8);
    CHECK(again->getErrorState() == UT_SHM_ERR_NONE);
    CHECK(receiver.getMemory() != nullptr);
    CHECK(receiver.detach() && receiver.getErrorState() != UT_SHM_ERR_UNABLE_TO_MAP);
    CHECK(again->lock());
    again.reset();
}

static void mutexes(const std::string &name)
{
    UT_Mutex one(ShmString("TouchSHM" + name + "xMutex"));
    CHECK(one.lock() && one.lock() && one.unlock() && !one.unlock());
    UT_Mutex two(ShmString("TouchSHM" + name + "xMutex"));
    CHECK(one.lock(10));
    CHECK(!in_a_thread([&] { return two.tryLock(); }));
    CHECK(!in_a_thread([&] { return two.lock(20); }));
    CHECK(!in_a_thread([&] { return one.lock(20); }));
    CHECK(!in_a_thread([&] { return one.unlock(); }));
    CHECK(one.unlock());
    CHECK(in_a_thread([&] { return two.lock() && two.unlock(); }));
}

static void threads(const std::string &name)
{
    UT_SharedMem sender(name.c_str(), 64);
    auto *counter = static_cast<volatile unsigned *>(sender.getMemory());
    CHECK(counter != nullptr);
    CHECK(sender.lock());
    CHECK(!in_a_thread([&] { return sender.tryLock(20); }));
    CHECK(!in_a_thread([&] { return sender.unlock(); }));
    // The memory lies where it lay, for whoever asks.
    CHECK(in_a_thread([&] { return sender.getMemory() == counter && sender.getErrorState() == UT_SHM_ERR_NONE; }));
    CHECK(sender.unlock());
    UT_SharedMem receiver(name.c_str());
    auto *seen = receiver.getMemory();
    CHECK(seen != nullptr && receiver.lock());
    CHECK(in_a_thread([&] { return receiver.getMemory() == seen && receiver.getErrorState() == UT_SHM_ERR_NONE; }));
    CHECK(receiver.unlock());
    // One object, several threads: each has the lock alone.
    together(4, [&] {
        for (int i = 0; i < 500; ++i) {
            if (!sender.lock()) {
                return;
            }
            *counter = *counter + 1;
            sender.unlock();
        }
    });
    CHECK(*counter == 2000);
    // Who resizes waits for the one that has the lock.
    std::atomic<int> failed{0};
    together(4, [&] {
        for (std::size_t i = 1; i < 60; ++i) {
            const bool locked = sender.lock();
            failed += !locked || !sender.getMemory();
            failed += locked && !sender.unlock();
            failed += !sender.resize(i * 1000);
        }
    });
    CHECK(failed == 0 && sender.getErrorState() == UT_SHM_ERR_NONE);
    // Who waits for frames never keeps the one that has the lock from letting go of it.
    std::atomic<int> which{0};
    std::atomic<bool> locked{false};
    std::atomic<bool> done{false};
    together(2, [&] {
        if (which++ == 0) {
            while (!done) {
                if (locked) {
                    receiver.waitForFrame(1);
                }
            }
            return;
        }
        for (int i = 0; i < 50; ++i) {
            locked = receiver.lock();
            failed += !locked || !receiver.unlock();
            locked = false;
            failed += !sender.tryLock(1000) || !sender.unlock();
        }
        done = true;
    });
    CHECK(failed == 0);
}

/** Who leaves while another thread has the lock waits for it, and leaves nothing locked. */
static void leaving(const std::string &name)
{
    for (int i = 0; i < 20; ++i) {
        UT_SharedMem sender(name.c_str(), 64);
        CHECK(sender.getErrorState() == UT_SHM_ERR_NONE);
        std::atomic<int> threads{0};
        std::atomic<bool> locked{false};
        std::atomic<bool> leaves{false};
        std::atomic<bool> unlocked{false};
        together(2, [&] {
            if (threads++ == 0) {
                locked = sender.lock();
                while (!leaves) {
                }
                unlocked = sender.unlock();
            } else {
                while (!locked) {
                }
                leaves = true;
                sender.detach();
            }
        });
        CHECK(unlocked && sender.getMemory() == nullptr && sender.detach());
    }
}

int main(int argc, char **argv)
{
    const std::string name = argc > 1 ? argv[1] : "classicchecks";
    names();
    life(name);
    mutexes(name);
    threads(name);
    leaving(name);
    return done();
}
