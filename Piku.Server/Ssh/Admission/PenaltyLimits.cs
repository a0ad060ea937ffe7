using Piku.Server.Ssh.Authentication;

namespace Piku.Server.Ssh.Admission;

/// <summary>
/// For how long addresses are kept out that give nothing but trouble: sshd's PerSourcePenalties (OpenSSH 9.8,
/// sshd_config(5)), with its defaults. Penalties of one address add up, and pass with time.
/// </summary>
internal sealed record PenaltyLimits
{
    /// <summary>For a connection on which keys were refused and none was proven: <c>authfail</c>.</summary>
    public TimeSpan Failure { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>For one that did not get to a key in the time for it: <c>grace-exceeded</c>.</summary>
    public TimeSpan Silence { get; init; } = TimeSpan.FromSeconds(20);

    /// <summary>For one that ended without a try, as those of scanners do: <c>noauth</c>.</summary>
    public TimeSpan NoTry { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>Below this sum nobody is blocked: <c>min</c>.</summary>
    public TimeSpan Threshold { get; init; } = TimeSpan.FromSeconds(15);

    /// <summary>The longest block: <c>max</c>.</summary>
    public TimeSpan Longest { get; init; } = TimeSpan.FromSeconds(600);

    /// <summary>
    /// Addresses that are remembered; more, and those whose penalty ends first are forgotten. A sixth of sshd's
    /// <c>max-sources</c>, because each takes some 200 bytes.
    /// </summary>
    public int Addresses { get; init; } = 10_000;

    /// <summary>Who is never blocked: sshd's PerSourcePenaltyExemptList. The machine's own people are not a network's.</summary>
    public AddressPatterns Exempt { get; init; } = AddressPatterns.Loopback;

    public TimeSpan For(Fault fault) => fault switch
    {
        Fault.Failure => Failure,
        Fault.Silence => Silence,
        Fault.NoTry => NoTry,
        _ => TimeSpan.Zero,
    };
}
