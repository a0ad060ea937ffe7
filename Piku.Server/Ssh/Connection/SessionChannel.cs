using System.Buffers.Binary;
using System.Collections.Immutable;
using System.Diagnostics.CodeAnalysis;
using System.Text;
using System.Threading.Channels;
using Piku.Server.Ssh.Wire;

namespace Piku.Server.Ssh.Connection;

/// <summary>A channel of the type <c>session</c> (RFC 4254, section 6): it runs one command, once, and reports its exit.</summary>
internal sealed class SessionChannel
{
    /// <summary>EX_SOFTWARE of sysexits.h; 255 is what ssh says for failures of its own.</summary>
    private const int InternalError = 70;

    private const int KeptSignals = 16;

    private readonly ConnectionProtocol _connection;
    private readonly ConnectionContext _context;
    private readonly Channel _channel;
    private readonly string _id;
    private readonly Dictionary<string, string> _environment = new(StringComparer.Ordinal);
    private readonly Channel<string> _signals = System.Threading.Channels.Channel.CreateBounded<string>(
        new BoundedChannelOptions(KeptSignals) { FullMode = BoundedChannelFullMode.DropWrite, SingleWriter = true });
    private readonly Channel<SshWindowSize> _resizes = System.Threading.Channels.Channel.CreateBounded<SshWindowSize>(
        new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropOldest, SingleWriter = true });
    private SshTerminal? _terminal;
    private bool _isStarted;

    private SessionChannel(ChannelOpening opening)
    {
        _connection = opening.Connection;
        _context = _connection.Context;
        _channel = opening.Accept(Answer);
        _id = $"{_context.Id}/{_channel.Number}";
    }

    public static void Open(ChannelOpening opening, ref SshReader reader)
    {
        reader.End();
        if (opening.Connection.AllowsSessions)
            _ = new SessionChannel(opening);
        else
            opening.Refuse(OpenFailure.AdministrativelyProhibited, "the client wanted no more sessions");
    }

    /// <summary>Sets a variable of the environment, if it is one that a client may set.</summary>
    public bool TrySet(string name, string value)
    {
        var limits = _context.Options.Limits;
        var isAllowed = !_isStarted
            && (_environment.Count < limits.EnvironmentVariables || _environment.ContainsKey(name))
            && name.Length + value.Length <= limits.EnvironmentVariableLength
            && name.All(c => char.IsAsciiLetterOrDigit(c) || c == '_')
            && _context.Options.AcceptedEnvironment.Any(accepted => Matches(accepted, name));
        if (isAllowed)
            _environment[name] = value;
        return isAllowed;
    }

    /// <summary>Gives the session a terminal, if its key may have one (sshd(8): <c>no-pty</c>, <c>restrict</c>, <c>pty</c>).</summary>
    public bool TryGiveTerminal(string type, SshWindowSize size, ImmutableArray<KeyValuePair<byte, uint>> modes)
    {
        var isAllowed = !_isStarted && _terminal is null && _context.User.Key.Options.MayHaveTerminal;
        if (isAllowed)
            _terminal = new(type, size, modes) { Resizes = _resizes.Reader };
        return isAllowed;
    }

    /// <summary>The client's window has another size now.</summary>
    public void Resize(SshWindowSize size) => _resizes.Writer.TryWrite(size);

    /// <summary>Starts a subsystem, if there is one of that name and the session has not started before.</summary>
    public RequestAnswer StartSubsystem(string name) =>
        _context.Options.Subsystems.Contains(name) ? Start(command: null, name) : RequestAnswer.Refused;

    /// <summary>Starts the session, unless it has started before.</summary>
    /// <param name="command">Null for a shell or a subsystem.</param>
    public RequestAnswer Start(string? command, string? subsystem = null) => Start(command, subsystem, isReadable: true);

    /// <summary>The same with a command that is no text; the session is told so.</summary>
    public RequestAnswer StartUnreadable() => Start(command: null, subsystem: null, isReadable: false);

    private RequestAnswer Start(string? command, string? subsystem, bool isReadable)
    {
        if (_isStarted)
            return RequestAnswer.Refused;
        _isStarted = true;
        return new(true, Then: () => _channel.Serve(() => RunAsync(command, subsystem, isReadable)));
    }

    /// <summary>Passes a signal on to the session; those that nobody takes are dropped.</summary>
    public void Signal(string name) => _signals.Writer.TryWrite(name);

    private RequestAnswer Answer(string type, ref SshReader reader) =>
        SessionRequests.Table.TryGetValue(type, out var answer) ? answer(this, ref reader) : RequestAnswer.Refused;

    private static bool Matches(string accepted, string name) =>
        accepted.EndsWith('*') ? name.StartsWith(accepted[..^1], StringComparison.Ordinal) : name == accepted;

    private async Task RunAsync(string? command, string? subsystem, bool isReadable)
    {
        var session = new SshSession
        {
            Id = _id,
            User = _context.User.Name,
            Key = _context.User.Key,
            RemoteEndPoint = _context.RemoteEndPoint,
            LocalEndPoint = _context.LocalEndPoint,
            Command = command,
            CommandIsReadable = isReadable,
            Subsystem = subsystem,
            Terminal = _terminal,
            Environment = _environment,
            Input = _channel.Input,
            Output = _channel.Output,
            Error = _channel.Error,
            Signals = _signals.Reader,
            Stopping = _channel.Stopping,
        };
        _context.Logger.SessionStarted(_id);
        var status = await HandleAsync(session);
        _context.Logger.SessionEnded(_id, status);
        if (session.ExitSignal is { } signal)
            SendExitSignal(signal);
        SendExitStatus(status);
        _channel.Close();
        _connection.Release(_channel);
    }

    [SuppressMessage("Design", "CA1031", Justification = "Whatever a handler throws ends its session only.")]
    private async Task<int> HandleAsync(SshSession session)
    {
        try
        {
            return await _context.Handler(session, _channel.Gone);
        }
        catch (Exception e) when (_channel.Gone.IsCancellationRequested || e is ChannelClosedException)
        {
            _context.Logger.SessionCancelled(_id, e.Message);
        }
        catch (Exception e)
        {
            _context.Logger.SessionFailed(_id, e);
            await TellOfErrorAsync();
        }
        return InternalError;
    }

    private async Task TellOfErrorAsync()
    {
        using var patience = new CancellationTokenSource(_context.Options.Limits.Farewell);
        try
        {
            await _channel.Error.WriteAsync(Encoding.UTF8.GetBytes($"internal error ({_id})\n"), patience.Token);
        }
        catch (Exception e) when (e is IOException or OperationCanceledException)
        {
            _context.Logger.SessionCancelled(_id, e.Message);
        }
    }

    // string signal name, boolean core dumped, string message, string language (RFC 4254, section 6.10)
    private void SendExitSignal(string signal)
    {
        using var content = new SshWriter();
        content.WriteText(signal);
        content.WriteBoolean(false);
        content.WriteText("");
        content.WriteText("");
        _channel.Request("exit-signal", content.Written);
    }

    // uint32 exit_status (RFC 4254, section 6.10)
    private void SendExitStatus(int status)
    {
        Span<byte> content = stackalloc byte[sizeof(int)];
        BinaryPrimitives.WriteInt32BigEndian(content, status);
        _channel.Request("exit-status", content);
    }
}
