using Piku.Core.Machine;
using Piku.Core.Model;

namespace Piku.Core.Apps;

/// <summary>
/// What the end of a Python worker does in place of Py_Finalize, which uWSGI is told to skip
/// (<c>skip-atexit-teardown</c>). A worker that has served its requests is ended by whichever of its threads served the
/// last, when the others are gone, the main one among them, for which Python 3 would wait for ever; uWSGI kills such a
/// worker after a minute, in which it serves nobody. The functions of Python's <c>atexit</c> are called all the same.
/// </summary>
internal static class PythonExit
{
    /// <summary>
    /// In Python's own order: what executors have queued; threads that are no daemons, here no longer than ten seconds
    /// (Lib/threading.py, _shutdown); the functions.
    /// </summary>
    private const string Text =
        """
        # piku writes this file anew whenever it starts.
        import atexit
        import threading
        import time

        import uwsgi


        def end():
            for call in reversed(getattr(threading, '_threading_atexits', [])):
                call()
            deadline = time.time() + 10
            for thread in threading.enumerate():
                if not (thread.daemon or isinstance(thread, threading._MainThread)):
                    thread.join(max(0, deadline - time.time()))
            atexit._run_exitfuncs()


        uwsgi.atexit = end

        """;

    public static void Install(PikuPaths paths) => AtomicFile.Write(paths.PythonExit, Text, AtomicFile.Readable);
}
