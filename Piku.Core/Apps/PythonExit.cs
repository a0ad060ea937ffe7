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
    /// <summary>Until then the interpreter's own: those of executors, whose threads are to finish what is queued (Lib/threading.py, _shutdown).</summary>
    private const string Text =
        """
        # piku writes this file anew whenever it starts.
        import atexit
        import threading

        import uwsgi


        def end():
            for call in reversed(getattr(threading, '_threading_atexits', [])):
                call()
            atexit._run_exitfuncs()


        uwsgi.atexit = end

        """;

    public static void Install(PikuPaths paths) => AtomicFile.Write(paths.PythonExit, Text, AtomicFile.Readable);
}
