using System.Text;

namespace Piku.Server.Hosting.Supervision;

/// <summary>The end of what a program has written, for saying why it ended.</summary>
internal sealed class LastLines
{
    private const int Limit = 4096;

    private readonly Lock _gate = new();
    private byte[] _bytes = [];

    public override string ToString()
    {
        lock (_gate)
            return Encoding.UTF8.GetString(_bytes).Trim();
    }

    public ValueTask WriteAsync(ReadOnlyMemory<byte> bytes, CancellationToken cancellationToken)
    {
        lock (_gate)
            _bytes = [.. _bytes.Concat(bytes.ToArray()).TakeLast(Limit)];
        return ValueTask.CompletedTask;
    }
}
