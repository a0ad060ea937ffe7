using Piku.Server.Ssh.Wire;

namespace Piku.Server.Ssh.Connection;

/// <summary>How much data the client may still send on a channel (RFC 4254, section 5.2). Not synchronised.</summary>
/// <param name="size">In bytes; the window's size when nothing waits to be consumed.</param>
internal sealed class ReceiveWindow(int size)
{
    private readonly int _worthAMessage = size / 4;
    private int _left = size;
    private int _consumed;

    /// <summary>Counts data that has come.</summary>
    /// <exception cref="SshProtocolException">There is more than was allowed.</exception>
    public void Take(int length)
    {
        if (length > _left)
            throw new SshProtocolException("more data than the channel's window allows");
        _left -= length;
    }

    /// <summary>Counts data that has been consumed.</summary>
    /// <returns>What to give back to the client now: nothing, until it is worth a message.</returns>
    public int Consume(int length)
    {
        _consumed += length;
        if (_consumed < _worthAMessage)
            return 0;
        var given = _consumed;
        _left += given;
        _consumed = 0;
        return given;
    }
}
