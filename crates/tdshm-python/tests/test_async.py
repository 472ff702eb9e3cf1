"""`async for`: the loop goes on, tasks are cancelled without losing a frame."""

import asyncio
import threading

import tdshm


def test_frames_come_while_the_loop_does_other_things(name):
    async def main():
        with tdshm.ChopSender(name) as sender, tdshm.ChopReceiver(name) as receiver:
            got = asyncio.Queue()

            async def receive():
                async for frame in receiver:
                    await got.put(frame.value("chan1"))
                    if frame.value("chan1") == 4:
                        return

            receiving = asyncio.ensure_future(receive())
            numbers = []
            for number in range(5):
                # The loop turns, and nothing comes yet.
                for _ in range(100):
                    await asyncio.sleep(0)
                assert got.empty()
                sender.send([number])
                numbers.append(await asyncio.wait_for(got.get(), 30))
            await receiving
            return numbers

    assert asyncio.run(main()) == [0, 1, 2, 3, 4]


def test_many_receivers_wait_at_once_with_a_thread_each(names):
    async def main():
        senders = [tdshm.ChopSender(names()) for _ in range(40)]
        receivers = [tdshm.ChopReceiver(sender.name) for sender in senders]

        async def first(receiver):
            async for frame in receiver:
                return frame.value("chan1")

        tasks = [asyncio.ensure_future(first(receiver)) for receiver in receivers]
        await asyncio.sleep(0)
        for number, sender in reversed(list(enumerate(senders))):
            sender.send([number])
        got = await asyncio.gather(*tasks)
        for thing in senders + receivers:
            thing.close()
        return got

    assert asyncio.run(main()) == list(range(40))


def test_a_cancelled_task_loses_no_frame(name):
    async def main():
        with tdshm.ChopSender(name) as sender, tdshm.ChopReceiver(name) as receiver:
            got = []
            for number in range(30):
                task = asyncio.ensure_future(receiver.__anext__())
                # Its thread has not begun, begins, or waits: whatever it does when the frame comes.
                await asyncio.sleep(0.002 * (number % 3))
                sender.send([number])
                task.cancel()
                try:
                    got.append((await task).value("chan1"))
                except asyncio.CancelledError:
                    # It is the first that is given out afterwards.
                    got.append((await asyncio.wait_for(receiver.__anext__(), 30)).value("chan1"))
            return got

    assert asyncio.run(main()) == list(range(30))


def test_the_loop_ends_where_the_receiver_is_closed(name):
    async def main():
        receiver = tdshm.TopReceiver(name)

        async def receive():
            return [frame async for frame in receiver]

        task = asyncio.ensure_future(receive())
        # Its turn comes before this one's.
        await asyncio.sleep(0)
        receiver.close()
        assert await task == []
        assert [frame async for frame in receiver] == []

    asyncio.run(main())


def test_frames_that_are_there_give_others_their_turn(name):
    async def main():
        with tdshm.ChopSender(name) as sender, tdshm.ChopReceiver(name) as receiver:
            done = asyncio.Event()

            async def other():
                done.set()

            asyncio.ensure_future(other())
            sender.send([0])
            async for _ in receiver:
                if done.is_set():
                    return
                sender.send([1])  # there is always one

    asyncio.run(main())


def test_threads_end_with_their_receivers(names):
    before = threading.active_count()

    async def main():
        for _ in range(20):
            with tdshm.ChopReceiver(names()) as receiver:
                task = asyncio.ensure_future(receiver.__anext__())
                await asyncio.sleep(0)
                task.cancel()
                try:
                    await task
                except asyncio.CancelledError:
                    pass
            del receiver, task

    asyncio.run(main())
    for thread in threading.enumerate():
        if thread.name == "tdshm":
            thread.join(30)
    assert threading.active_count() <= before
