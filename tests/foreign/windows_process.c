/* What a test does to another process of Windows, where no command of the system does it and no program of ours may.
 *
 *   windows_process ctrl-c PID     as somebody who presses Ctrl-C in the console of that process
 *   windows_process ctrl-break PID the same with Ctrl-Break
 *   windows_process kill PID       as TerminateProcess does it, with the status 9
 *   windows_process stop PID       none of its threads runs any more
 *   windows_process continue PID   they run again
 *   windows_process alive PID      whether it runs: status 0, or 1
 *
 * Status 0 when it is done; else the system's error code on standard error, and status 2. A process whose console is
 * this one's or its test's would not be alone with Ctrl-C: start it with CREATE_NO_WINDOW, which gives it its own.
 *
 * Build: x86_64-w64-mingw32-gcc -municode -o windows_process.exe windows_process.c
 */
#include <windows.h>

#include <stdio.h>
#include <stdlib.h>
#include <wchar.h>

static int failed(const char *what, unsigned long error)
{
    fprintf(stderr, "%s: error %lu\n", what, error);
    return 2;
}

/* This process is in that console too, and stays alive. */
static BOOL WINAPI not_me(DWORD event)
{
    (void)event;
    return TRUE;
}

/* What the console does in a process that has to be told of an event: it starts a thread there, in a function of the
 * system that calls the handlers. Wine 8 refuses to deliver Ctrl-Break, to a console and to a group alike, also where
 * the process was started in a group or a console of its own (error 6), so there this does the console's part. */
static int start_handlers(DWORD pid, DWORD event)
{
    union {
        FARPROC found;
        LPTHREAD_START_ROUTINE routine;
    } of = {GetProcAddress(GetModuleHandleW(L"kernelbase"), "CtrlRoutine")};
    HANDLE process = OpenProcess(PROCESS_ALL_ACCESS, FALSE, pid), thread;
    if (!of.found || !process)
        return failed("CtrlRoutine", GetLastError());
    thread = CreateRemoteThread(process, NULL, 0, of.routine, (void *)(DWORD_PTR)event, 0, NULL);
    return thread ? 0 : failed("CreateRemoteThread", GetLastError());
}

static int press(DWORD event, DWORD pid)
{
    FreeConsole();
    if (!AttachConsole(pid))
        return failed("AttachConsole", GetLastError());
    if (!SetConsoleCtrlHandler(not_me, TRUE))
        return failed("SetConsoleCtrlHandler", GetLastError());
    if (GenerateConsoleCtrlEvent(event, 0))
        return 0;
    if (event == CTRL_BREAK_EVENT && GetLastError() == ERROR_INVALID_HANDLE)
        return start_handlers(pid, event);
    return failed("GenerateConsoleCtrlEvent", GetLastError());
}

/* A function of ntdll that takes a process. */
static int all_threads(const char *function, HANDLE process)
{
    union {
        FARPROC found;
        LONG(WINAPI *call)(HANDLE);
    } to = {GetProcAddress(GetModuleHandleW(L"ntdll"), function)};
    LONG status = to.found ? to.call(process) : -1;
    return status == 0 ? 0 : failed(function, (unsigned long)status);
}

int wmain(int argc, wchar_t **argv)
{
    if (argc != 3)
        return failed("an act and a process are needed", 0);
    const wchar_t *act = argv[1];
    DWORD pid = wcstoul(argv[2], NULL, 10);
    if (wcscmp(act, L"ctrl-c") == 0)
        return press(CTRL_C_EVENT, pid);
    if (wcscmp(act, L"ctrl-break") == 0)
        return press(CTRL_BREAK_EVENT, pid);
    HANDLE process = OpenProcess(PROCESS_TERMINATE | PROCESS_SUSPEND_RESUME | SYNCHRONIZE, FALSE, pid);
    if (wcscmp(act, L"alive") == 0)
        return process && WaitForSingleObject(process, 0) == WAIT_TIMEOUT ? 0 : 1;
    if (!process)
        return failed("OpenProcess", GetLastError());
    if (wcscmp(act, L"kill") == 0)
        return TerminateProcess(process, 9) ? 0 : failed("TerminateProcess", GetLastError());
    if (wcscmp(act, L"stop") == 0)
        return all_threads("NtSuspendProcess", process);
    if (wcscmp(act, L"continue") == 0)
        return all_threads("NtResumeProcess", process);
    return failed("no such act", 0);
}
