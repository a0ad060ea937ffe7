namespace Piku.Core.Machine;

/// <summary>How a program ended: with a code of its own (0 is success), or by a signal.</summary>
public readonly record struct ExitStatus(int Code, int? Signal = null)
{
    public bool Succeeded => Code == 0 && Signal is null;

    /// <summary>One number, as shells give it: 128 + signal for a program that a signal ended.</summary>
    public int ShellCode => Signal is { } signal ? 128 + signal : Code;

    /// <summary>"exit status 3" or "ended by SIGKILL".</summary>
    public override string ToString() =>
        Signal is { } signal ? $"ended by SIG{Signals.Name(signal)}" : $"exit status {Code}";

    /// <summary>Reads the status of waitpid(2).</summary>
    internal static ExitStatus FromWait(int status) =>
        (status & 0x7f) is var signal and not 0 ? new(0, signal) : new(status >> 8 & 0xff);
}
