/* A foreign sender and a foreign receiver for Windows, which share no code with ours: Win32 calls, and the tables of
 * the protocol's description (sections 1 to 6 and 8), typed here a second time on purpose.
 *
 * It obeys one command a line and answers each with one line: `ok ...`, or `err CODE SENTENCE` with the system's error
 * code. It plays one role in its life, and ends when its input does. With `--narrow` it is a program of 2018 and
 * before: ANSI calls, and the narrow info block.
 *
 *   create NAME SIZE [single|bare]     a sender with a data segment of SIZE bytes; its info segment has the prefix once
 *                                      in its name, as those of several other programs, or there is none
 *   send COUNT LENGTH RATE SEED NAMES  one frame; NAMES is `names` or `nonames`; also says whether the lock was
 *                                      `clean` or `abandoned`
 *   put HEX, put-regardless HEX        these bytes at the start of the data segment, under the lock, or without it
 *   info AT HEX                        these bytes in the info segment
 *   resize SIZE [POSTFIX]              what the reference does; the new postfix, or nothing where the name stays
 *   detach                             the sender leaves
 *   open NAME                          a receiver; it attaches when it reads
 *   read                               `frame COUNT LENGTH RATE SEED HOW NAME,NAME...`, or `none REASON`
 *   look NAME [POSTFIX]                opens both segments without a word to anybody, for `dump` and `size`
 *   close                              lets go of everything
 *   lock WHICH MS, unlock WHICH        the lock of `info` or `data`: `clean` or `abandoned`
 *   die                                as TerminateProcess does it, whatever is held
 *   dump WHICH LENGTH                  bytes of the `info` or `data` segment, in hexadecimal
 *   size WHICH                         bytes that are mapped
 *   objects NAME [POSTFIX]             which objects there are: `data data-lock info info-lock`
 *   quit                               ends in peace
 *
 * Build: x86_64-w64-mingw32-gcc -municode -o windows_peer.exe windows_peer.c
 */
#include <windows.h>

#include <fcntl.h>
#include <io.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>

#include "block.h"

enum {
    NAME_CHARS = 1024,
    LINE_BYTES = 1 << 20,
    POSTFIX_LETTERS = 31,
    LOCK_LIMIT_MS = 5000,
};

static const uint32_t INFO_MAGIC = 0x56ed34ba;

/* Section 3. */
struct layout {
    size_t postfix_at, letter_bytes, detach_at, size;
};
static const struct layout WIDE = {10, 2, 74, 76};
static const struct layout NARROW = {9, 1, 41, 44};

struct segment {
    HANDLE mapping;
    BYTE *view;
};

static BOOL narrow;
static const struct layout *layout = &WIDE;
static BOOL sending;
static char short_name[NAME_CHARS];
static char postfix[POSTFIX_LETTERS + 1];
static struct segment info, data;
static HANDLE info_lock, data_lock;
static char line[LINE_BYTES];

/* Answers. */

static void refuse(DWORD code, const char *sentence)
{
    printf("err %lu %s\n", (unsigned long)code, sentence);
}

static void agree(const char *text)
{
    printf(*text ? "ok %s\n" : "ok\n", text);
}

/* Names, section 1. */

enum object { DATA, DATA_LOCK, INFO, INFO_LOCK };

static void object_name(char *name, size_t size, enum object which, const char *of, const char *with_postfix)
{
    switch (which) {
    case DATA:
        snprintf(name, size, "TouchSHM%s%s", of, with_postfix);
        break;
    case DATA_LOCK:
        snprintf(name, size, "TouchSHM%sMutex", of);
        break;
    case INFO:
        snprintf(name, size, "TouchSHMTouchSHM%s4jhd783h", of);
        break;
    case INFO_LOCK:
        snprintf(name, size, "TouchSHMTouchSHM%s4jhd783hMutex", of);
        break;
    }
}

static void widen(wchar_t *wide, const char *name)
{
    if (!MultiByteToWideChar(CP_UTF8, MB_ERR_INVALID_CHARS, name, -1, wide, NAME_CHARS))
        *wide = 0;
}

/* Segments, section 2. */

static BOOL map(struct segment *segment)
{
    segment->view = segment->mapping ? MapViewOfFile(segment->mapping, FILE_MAP_ALL_ACCESS, 0, 0, 0) : NULL;
    return segment->view != NULL;
}

static void let_go(struct segment *segment)
{
    if (segment->view)
        UnmapViewOfFile(segment->view);
    if (segment->mapping)
        CloseHandle(segment->mapping);
    segment->view = NULL;
    segment->mapping = NULL;
}

static BOOL create_segment(struct segment *segment, const char *name, DWORD size)
{
    wchar_t wide[NAME_CHARS];
    widen(wide, name);
    SetLastError(0);
    if (narrow)
        segment->mapping = CreateFileMappingA(INVALID_HANDLE_VALUE, NULL, PAGE_READWRITE, 0, size, name);
    else
        segment->mapping = CreateFileMappingW(INVALID_HANDLE_VALUE, NULL, PAGE_READWRITE, 0, size, wide);
    if (segment->mapping && GetLastError() == ERROR_ALREADY_EXISTS) {
        CloseHandle(segment->mapping);
        segment->mapping = NULL;
        SetLastError(ERROR_ALREADY_EXISTS);
    }
    return segment->mapping && map(segment);
}

static HANDLE open_mapping(const char *name)
{
    wchar_t wide[NAME_CHARS];
    widen(wide, name);
    return narrow ? OpenFileMappingA(FILE_MAP_ALL_ACCESS, FALSE, name)
                  : OpenFileMappingW(FILE_MAP_ALL_ACCESS, FALSE, wide);
}

static size_t mapped_bytes(const struct segment *segment)
{
    MEMORY_BASIC_INFORMATION about;
    return VirtualQuery(segment->view, &about, sizeof about) ? about.RegionSize : 0;
}

/* Locks, section 5. */

static HANDLE make_lock(enum object which)
{
    char name[NAME_CHARS];
    wchar_t wide[NAME_CHARS];
    object_name(name, sizeof name, which, short_name, "");
    widen(wide, name);
    return narrow ? CreateMutexA(NULL, FALSE, name) : CreateMutexW(NULL, FALSE, wide);
}

static void close_lock(HANDLE *lock)
{
    if (*lock)
        CloseHandle(*lock);
    *lock = NULL;
}

/* "clean", "abandoned", or NULL. */
static const char *take(HANDLE lock, DWORD limit_ms)
{
    switch (WaitForSingleObject(lock, limit_ms)) {
    case WAIT_OBJECT_0:
        return "clean";
    case WAIT_ABANDONED:
        return "abandoned";
    case WAIT_TIMEOUT:
        SetLastError(WAIT_TIMEOUT);
        return NULL;
    default:
        return NULL;
    }
}

static const char *take_info(void)
{
    return take(info_lock, LOCK_LIMIT_MS);
}

/* The info block, section 3. */

static void read_postfix(char *text)
{
    size_t index;
    for (index = 0; index < POSTFIX_LETTERS; index++)
        text[index] = (char)info.view[layout->postfix_at + index * layout->letter_bytes];
    text[POSTFIX_LETTERS] = 0;
}

static void write_postfix(const char *text)
{
    size_t index, length = strlen(text);
    for (index = 0; index <= POSTFIX_LETTERS; index++) {
        BYTE *letter = info.view + layout->postfix_at + index * layout->letter_bytes;
        memset(letter, 0, layout->letter_bytes);
        *letter = (BYTE)(index < length ? text[index] : 0);
    }
}

static void roll_postfix(char *text)
{
    static uint64_t state;
    size_t index;
    if (!state) {
        LARGE_INTEGER now;
        QueryPerformanceCounter(&now);
        state = ((uint64_t)now.QuadPart << 20) ^ GetCurrentProcessId() ^ 0x9e3779b97f4a7c15u;
    }
    for (index = 0; index < POSTFIX_LETTERS; index++) {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        text[index] = (char)('a' + (state >> 33) % 26);
    }
    text[POSTFIX_LETTERS] = 0;
}

static void close_all(void)
{
    let_go(&data);
    let_go(&info);
    close_lock(&data_lock);
    close_lock(&info_lock);
    *postfix = 0;
    sending = FALSE;
}

/* The sender. */

static BOOL create_data(DWORD size)
{
    char name[NAME_CHARS];
    object_name(name, sizeof name, DATA, short_name, postfix);
    return create_segment(&data, name, size);
}

static void create(const char *name, DWORD size, BOOL single, BOOL bare)
{
    char object[NAME_CHARS];
    close_all();
    snprintf(short_name, sizeof short_name, "%s", name);
    info_lock = make_lock(INFO_LOCK);
    data_lock = make_lock(DATA_LOCK);
    if (!info_lock || !data_lock || !take_info()) {
        refuse(GetLastError(), "unable to lock info");
        close_all();
        return;
    }
    object_name(object, sizeof object, INFO, short_name, "");
    if (bare) {
        ReleaseMutex(info_lock);
    } else if (!create_segment(&info, single ? object + strlen("TouchSHM") : object, (DWORD)layout->size)) {
        DWORD code = GetLastError();
        ReleaseMutex(info_lock);
        close_all();
        refuse(code, "info already exists");
        return;
    } else {
        memset(info.view, 0, layout->size);
        set_number(info.view, INFO_MAGIC);
        set_number(info.view + 4, 2);
        ReleaseMutex(info_lock);
    }
    if (!create_data(size)) {
        DWORD code = GetLastError();
        close_all();
        refuse(code, "already exists");
        return;
    }
    sending = TRUE;
    agree("");
}

/* Sections 4 and 10: where nobody said that he understands, the name stays. */
static void resize(DWORD size, const char *wanted)
{
    BOOL moved;
    if (!take_info()) {
        refuse(GetLastError(), "unable to lock info");
        return;
    }
    let_go(&data);
    if (info.view[8] == 1) {
        char old[POSTFIX_LETTERS + 1];
        memcpy(old, postfix, sizeof old);
        do {
            if (wanted)
                snprintf(postfix, sizeof postfix, "%s", wanted);
            else
                roll_postfix(postfix);
            moved = create_data(size);
        } while (!moved && !wanted && GetLastError() == ERROR_ALREADY_EXISTS);
        if (moved)
            write_postfix(postfix);
        else
            memcpy(postfix, old, sizeof old);
    } else {
        moved = create_data(size);
    }
    if (moved)
        agree(postfix);
    else
        refuse(GetLastError(), "already exists");
    ReleaseMutex(info_lock);
}

static void detach(void)
{
    if (!take_info()) {
        refuse(GetLastError(), "unable to lock info");
        return;
    }
    info.view[layout->detach_at] = 1;
    ReleaseMutex(info_lock);
    close_all();
    agree("");
}

static void send_frame(size_t count, size_t length, float rate, uint32_t seed, BOOL named)
{
    const char *how;
    if (block_bytes(count, length, seed, named) > mapped_bytes(&data)) {
        refuse(ERROR_INSUFFICIENT_BUFFER, "the frame does not fit: resize first");
        return;
    }
    how = take(data_lock, LOCK_LIMIT_MS);
    if (!how) {
        refuse(GetLastError(), "unable to lock data");
        return;
    }
    write_block(data.view, count, length, rate, seed, named);
    ReleaseMutex(data_lock);
    agree(how);
}

static void write_hex(BYTE *to, const char *hex)
{
    size_t index;
    for (index = 0; index < strlen(hex) / 2; index++) {
        unsigned byte;
        if (sscanf(hex + 2 * index, "%2x", &byte) == 1)
            to[index] = (BYTE)byte;
    }
}

static void put_info(size_t at, const char *hex)
{
    if (!info.view || at + strlen(hex) / 2 > mapped_bytes(&info)) {
        refuse(ERROR_INVALID_PARAMETER, "the bytes cannot be put there");
        return;
    }
    write_hex(info.view + at, hex);
    agree("");
}

static void put(const char *hex, BOOL locked)
{
    size_t length = strlen(hex) / 2;
    if (length > mapped_bytes(&data) || (locked && !take(data_lock, LOCK_LIMIT_MS))) {
        refuse(GetLastError(), "the bytes cannot be put there");
        return;
    }
    write_hex(data.view, hex);
    if (locked)
        ReleaseMutex(data_lock);
    agree("");
}

/* The receiver. */

static void open_receiver(const char *name)
{
    close_all();
    snprintf(short_name, sizeof short_name, "%s", name);
    info_lock = make_lock(INFO_LOCK);
    data_lock = make_lock(DATA_LOCK);
    if (info_lock && data_lock)
        agree("");
    else
        refuse(GetLastError(), "unable to make the locks");
}

/* Under the data lock: NULL when `data` is what the sender writes to, or why it is not. */
static const char *attach(void)
{
    char name[NAME_CHARS], now[POSTFIX_LETTERS + 1];
    const char *reason = NULL;
    if (!info.view) {
        object_name(name, sizeof name, INFO, short_name, "");
        info.mapping = open_mapping(name);
        if (!map(&info)) {
            let_go(&info);
            return "info does not exist";
        }
    }
    if (!take_info())
        return "unable to lock info";
    if (number_at(info.view) != INFO_MAGIC) {
        reason = "info has another magic";
    } else if (info.view[layout->detach_at] == 1) {
        let_go(&data);
        reason = "info does not exist";
    } else {
        info.view[8] = 1;
        read_postfix(now);
        if (!data.view || strcmp(now, postfix) != 0) {
            let_go(&data);
            memcpy(postfix, now, sizeof postfix);
            object_name(name, sizeof name, DATA, short_name, postfix);
            data.mapping = open_mapping(name);
            if (!map(&data)) {
                let_go(&data);
                reason = "does not exist";
            }
        }
    }
    ReleaseMutex(info_lock);
    if (reason)
        let_go(&info);
    return reason;
}

static void read_frame(void)
{
    const char *reason, *how = take(data_lock, LOCK_LIMIT_MS);
    if (!how) {
        refuse(GetLastError(), "unable to lock data");
        return;
    }
    reason = attach();
    if (reason)
        printf("ok none %s\n", reason);
    else
        say_block(data.view, mapped_bytes(&data), how);
    ReleaseMutex(data_lock);
}

/* Looking. */

static void look(const char *name, const char *with_postfix)
{
    char object[NAME_CHARS];
    close_all();
    object_name(object, sizeof object, INFO, name, "");
    info.mapping = open_mapping(object);
    object_name(object, sizeof object, DATA, name, with_postfix);
    data.mapping = open_mapping(object);
    if (map(&info) && map(&data))
        agree("");
    else
        refuse(GetLastError(), "there are not both segments");
}

static void dump(const struct segment *segment, size_t length)
{
    size_t index;
    if (length > mapped_bytes(segment)) {
        refuse(ERROR_INSUFFICIENT_BUFFER, "the segment is smaller than that");
        return;
    }
    printf("ok ");
    for (index = 0; index < length; index++)
        printf("%02x", segment->view[index]);
    printf("\n");
}

static void say_objects(const char *of, const char *with_postfix)
{
    static const struct {
        enum object which;
        const char *called;
    } OBJECTS[] = {{DATA, "data"}, {DATA_LOCK, "data-lock"}, {INFO, "info"}, {INFO_LOCK, "info-lock"}};
    size_t index;
    printf("ok");
    for (index = 0; index < sizeof OBJECTS / sizeof *OBJECTS; index++) {
        char name[NAME_CHARS];
        wchar_t wide[NAME_CHARS];
        BOOL lock = OBJECTS[index].which == DATA_LOCK || OBJECTS[index].which == INFO_LOCK;
        HANDLE object;
        object_name(name, sizeof name, OBJECTS[index].which, of, with_postfix);
        widen(wide, name);
        object = !lock ? open_mapping(name)
                       : narrow ? OpenMutexA(SYNCHRONIZE, FALSE, name) : OpenMutexW(SYNCHRONIZE, FALSE, wide);
        if (object) {
            printf(" %s", OBJECTS[index].called);
            CloseHandle(object);
        }
    }
    printf("\n");
}

/* Obeying. */

static BOOL word_is(const char *word, const char *other)
{
    return word && strcmp(word, other) == 0;
}

/* FALSE: no more. */
static BOOL obey(char *words)
{
    const char *command = strtok(words, " \r\n");
    const char *a = strtok(NULL, " \r\n"), *b = strtok(NULL, " \r\n"), *c = strtok(NULL, " \r\n");
    const char *d = strtok(NULL, " \r\n"), *e = strtok(NULL, " \r\n");
    if (word_is(command, "quit")) {
        close_all();
        return FALSE;
    }
    if (word_is(command, "die")) {
        TerminateProcess(GetCurrentProcess(), 9);
    } else if (word_is(command, "create") && b) {
        create(a, strtoul(b, NULL, 10), word_is(c, "single"), word_is(c, "bare"));
    } else if (word_is(command, "info") && b) {
        put_info(strtoul(a, NULL, 10), b);
    } else if (word_is(command, "open") && a) {
        open_receiver(a);
    } else if (word_is(command, "look") && a) {
        look(a, b ? b : "");
    } else if (word_is(command, "objects") && a) {
        say_objects(a, b ? b : "");
    } else if (word_is(command, "close")) {
        close_all();
        agree("");
    } else if (word_is(command, "read") && data_lock && !sending) {
        read_frame();
    } else if (word_is(command, "send") && sending && data.view && e) {
        send_frame(strtoul(a, NULL, 10), strtoul(b, NULL, 10), strtof(c, NULL), strtoul(d, NULL, 10),
                   word_is(e, "names"));
    } else if (word_is(command, "put") && sending && data.view && a) {
        put(a, TRUE);
    } else if (word_is(command, "put-regardless") && sending && data.view && a) {
        put(a, FALSE);
    } else if (word_is(command, "resize") && sending && a) {
        resize(strtoul(a, NULL, 10), b);
    } else if (word_is(command, "detach") && sending) {
        detach();
    } else if (word_is(command, "lock") && data_lock && b) {
        const char *how = take(word_is(a, "info") ? info_lock : data_lock, strtoul(b, NULL, 10));
        if (how)
            agree(how);
        else
            refuse(GetLastError(), "the lock was not free in time");
    } else if (word_is(command, "unlock") && data_lock && a) {
        if (ReleaseMutex(word_is(a, "info") ? info_lock : data_lock))
            agree("");
        else
            refuse(GetLastError(), "the lock is not held");
    } else if ((word_is(command, "dump") || word_is(command, "size")) && a) {
        const struct segment *segment = word_is(a, "info") ? &info : &data;
        if (!segment->view)
            refuse(ERROR_FILE_NOT_FOUND, "the segment is not open");
        else if (word_is(command, "size"))
            printf("ok %llu\n", (unsigned long long)mapped_bytes(segment));
        else
            dump(segment, b ? strtoul(b, NULL, 10) : mapped_bytes(segment));
    } else {
        printf("err -1 not a command, or not in this role\n");
    }
    return TRUE;
}

int wmain(int argc, wchar_t **argv)
{
    if (argc > 1 && wcscmp(argv[1], L"--narrow") == 0) {
        narrow = TRUE;
        layout = &NARROW;
    }
    _setmode(_fileno(stdin), _O_BINARY);
    _setmode(_fileno(stdout), _O_BINARY);
    while (fgets(line, sizeof line, stdin)) {
        BOOL more = obey(line);
        fflush(stdout);
        if (!more)
            return 0;
    }
    return 3;
}
