using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;

namespace Piku.Tests.Ssh;

/// <summary>Keeps what was logged, in order.</summary>
internal sealed class TestLog : ILoggerProvider, ILogger
{
    private readonly ConcurrentQueue<(LogLevel Level, string Text)> _lines = new();

    public IEnumerable<string> Lines => _lines.Select(line => line.Text);

    public IEnumerable<string> LinesAt(LogLevel level) => _lines.Where(line => line.Level == level).Select(line => line.Text);

    public ILogger<T> For<T>() => new Logger<T>(this);

    public ILogger CreateLogger(string categoryName) => this;

    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel) => true;

    public void Log<TState>(
        LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
        _lines.Enqueue((logLevel, exception is null ? formatter(state, exception) : $"{formatter(state, exception)}: {exception}"));

    public void Dispose()
    {
    }

    private sealed class Logger<T>(TestLog log) : ILogger<T>
    {
        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(
            LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
            log.Log(logLevel, eventId, state, exception, formatter);
    }
}
