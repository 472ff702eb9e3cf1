/* Linked as Visual C++ does it, without any library of MinGW-w64's: ends with 42 where tdshm.dll is found and answers. */
#include <tdshm/tdshm.h>

__declspec(dllimport) __declspec(noreturn) void __stdcall ExitProcess(unsigned status);
int start(void);

int start(void)
{
    tdshm_chop_sender_t *sender = NULL;
    const float sample = 1;
    int right = tdshm_version() == TDSHM_VERSION;
    right = right && tdshm_chop_sender_create("importlibrary", 13, NULL, &sender) == TDSHM_OK;
    right = right && tdshm_chop_sender_send(sender, &sample, 1, 1) == TDSHM_OK;
    right = right && tdshm_chop_sender_free(sender) == TDSHM_OK;
    ExitProcess(right ? 42 : 1);
}
