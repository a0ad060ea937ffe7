namespace Piku.Server.Ssh.Admission;

/// <summary>Why a connection is not let in.</summary>
internal enum RefusalKind
{
    ManyStarting,
    ManyStartingOfOneAddress,
    ManyOfOneAddress,
    Blocked,
    NoProxyHeader,
}

/// <summary>The words for it.</summary>
internal static class RefusalKinds
{
    public static string Sentence(this RefusalKind kind) => kind switch
    {
        RefusalKind.ManyStarting => "too many connections are starting",
        RefusalKind.ManyStartingOfOneAddress => "too many connections are starting from this address",
        RefusalKind.ManyOfOneAddress => "too many connections from this address",
        RefusalKind.Blocked => "this address has failed too often, and has to wait",
        RefusalKind.NoProxyHeader => "the proxy does not say whose connection it is",
        _ => throw new ArgumentOutOfRangeException(nameof(kind)),
    };
}
