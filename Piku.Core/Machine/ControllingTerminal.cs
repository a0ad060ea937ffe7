namespace Piku.Core.Machine;

/// <summary>The terminal that a process was started from (tty(4)).</summary>
public static class ControllingTerminal
{
    /// <summary>TIOCNOTTY (ioctl_tty(2)).</summary>
    private const nuint GiveUpRequest = 0x5422;

    /// <summary>
    /// Has this process, and all that it will start, not be of that terminal any more: whoever can open <c>/dev/tty</c> can
    /// type into it for the person who sits there, and be root's shell that way. Ctrl-C there still reaches this process,
    /// which stays in its group. Does nothing where there is none, nor for a session's leader, whose end would be the terminal's.
    /// </summary>
    public static void GiveUp()
    {
        if (Libc.SessionOf(0) == Environment.ProcessId)
            return;
        try
        {
            using var terminal = Libc.Open("/dev/tty", Libc.OpenReadWrite | Libc.OpenWithoutWaiting | Libc.OpenWithoutTerminal);
            _ = Libc.Control(terminal, GiveUpRequest, 0);
        }
        catch (IOException)
        {
            // ENXIO: there is none.
        }
    }
}
