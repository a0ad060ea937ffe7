using Piku.Server.Ssh.Wire;

namespace Piku.Server.Ssh.Connection;

/// <summary>How much data we may still send on a channel (RFC 4254, section 5.2). Not synchronised.</summary>
/// <param name="size">The window at first, in bytes.</param>
/// <param name="maxLength">Most data in one message.</param>
internal sealed class SendWindow(uint size, uint maxLength)
{
    private uint _left = size;

    /// <summary>How much of the data may go out now, in one message.</summary>
    public int Allows(int length) => (int)Math.Min((uint)length, Math.Min(_left, maxLength));

    /// <summary>Counts data that goes out, within what is allowed.</summary>
    public void Take(int length) => _left -= (uint)length;

    /// <exception cref="SshProtocolException">The window becomes larger than a window can be.</exception>
    public void Grow(uint by)
    {
        if (by > uint.MaxValue - _left)
            throw new SshProtocolException("the channel's window overflows");
        _left += by;
    }
}
