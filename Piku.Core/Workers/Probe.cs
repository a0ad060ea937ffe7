namespace Piku.Core.Workers;

/// <summary>How one learns from outside that a worker is up.</summary>
public abstract record Probe
{
    private Probe()
    {
    }

    /// <summary>It answers on this socket, in the uwsgi protocol.</summary>
    public sealed record UnixSocket(string Path) : Probe;

    /// <summary>It accepts connections on this address, in HTTP.</summary>
    /// <param name="Host">An address or name to connect to, without brackets.</param>
    /// <param name="Port">TCP.</param>
    public sealed record Tcp(string Host, int Port) : Probe
    {
        /// <summary>The probe for an address that a worker binds; one that stands for all addresses is reached by loopback.</summary>
        public static Tcp Of(string bindAddress, int port) => new(
            bindAddress switch
            {
                "0.0.0.0" => "127.0.0.1",
                "[::]" => "::1",
                _ => bindAddress.Trim('[', ']'),
            },
            port);
    }

    /// <summary>It serves nobody: it is up while its process lives.</summary>
    public sealed record Alive : Probe;

    /// <summary>It does nothing until its time comes.</summary>
    public sealed record Nothing : Probe;
}
