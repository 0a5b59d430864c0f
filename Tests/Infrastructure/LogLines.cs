using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;

namespace HeartGrains.Tests.Infrastructure;

/// <summary>Keeps what is logged as a warning or worse.</summary>
internal sealed class LogLines : ILoggerProvider, ILogger
{
    private readonly ConcurrentQueue<(string Category, string Text)> _lines = new();

    public string[] Lines => [.. _lines.Select(static line => line.Text)];

    /// <summary>The lines with their categories.</summary>
    public IReadOnlyCollection<(string Category, string Text)> All => _lines;

    public ILogger CreateLogger(string categoryName) => new OfCategory(categoryName, this);

    public IDisposable? BeginScope<TState>(TState state) where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel) => logLevel >= LogLevel.Warning;

    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
        Keep("", logLevel, state, exception, formatter);

    public void Dispose()
    {
    }

    private void Keep<TState>(string category, LogLevel logLevel, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
    {
        if (IsEnabled(logLevel)) _lines.Enqueue((category, $"{formatter(state, exception)} {exception}"));
    }

    private sealed class OfCategory(string category, LogLines lines) : ILogger
    {
        public IDisposable? BeginScope<TState>(TState state) where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => lines.IsEnabled(logLevel);

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
            lines.Keep(category, logLevel, state, exception, formatter);
    }
}
