namespace Piku.Tests.Ssh;

/// <summary>A clock that goes on when it is told to.</summary>
internal sealed class ManualClock : TimeProvider
{
    private TimeSpan _since;

    public override long TimestampFrequency => TimeSpan.TicksPerSecond;

    public override DateTimeOffset GetUtcNow() => DateTimeOffset.UnixEpoch + _since;

    public override long GetTimestamp() => _since.Ticks;

    public void Pass(double seconds) => _since += TimeSpan.FromSeconds(seconds);
}
