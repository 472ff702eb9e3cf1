/* A check that says what is not so, and threads also where the compiler's library has none. */
#ifndef TDSHM_TESTS_CHECKS_HPP
#define TDSHM_TESTS_CHECKS_HPP

#include <cstdio>
#include <cstdlib>
#include <functional>
#include <string>
#include <vector>
#ifdef _WIN32
#define WIN32_LEAN_AND_MEAN
#ifndef NOMINMAX
#define NOMINMAX
#endif
#include <windows.h>
#else
#include <thread>
#endif

#define CHECK(condition) check((condition), #condition, __FILE__, __LINE__)

inline int &checks()
{
    static int count = 0;
    return count;
}

inline void check(bool holds, const char *text, const char *file, int line)
{
    ++checks();
    if (!holds) {
        std::printf("%s:%d: not so: %s\n", file, line, text);
        std::fflush(stdout);
        std::exit(1);
    }
}

inline int done()
{
    std::printf("%d checks hold\n", checks());
    return 0;
}

/** So many threads that do the same at once. */
inline void together(int count, const std::function<void()> &work)
{
#ifdef _WIN32
    struct Runner {
        static DWORD WINAPI start(void *work)
        {
            (*static_cast<const std::function<void()> *>(work))();
            return 0;
        }
    };
    std::vector<HANDLE> threads;
    for (int i = 0; i < count; ++i) {
        threads.push_back(CreateThread(nullptr, 0, Runner::start, const_cast<std::function<void()> *>(&work), 0, nullptr));
    }
    for (HANDLE thread : threads) {
        WaitForSingleObject(thread, INFINITE);
        CloseHandle(thread);
    }
#else
    std::vector<std::thread> threads;
    for (int i = 0; i < count; ++i) {
        threads.emplace_back(work);
    }
    for (std::thread &thread : threads) {
        thread.join();
    }
#endif
}

/** What another thread says to that. */
inline bool in_a_thread(const std::function<bool()> &work)
{
    bool said = false;
    together(1, [&] { said = work(); });
    return said;
}

#endif
