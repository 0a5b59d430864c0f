using System.Globalization;
using Grpc.Core;

namespace HeartGrains.Gateway.Grpc;

/// <summary>
/// A call's deadline counts from the call's arrival: it ends what is waited for before the method, such as the message or the keys of a token, and the method is given what is left of it.
/// </summary>
internal sealed class GrpcDeadline(RequestDelegate next, TimeProvider time)
{
    private const string Header = "grpc-timeout";
    private static readonly TimeSpan Longest = TimeSpan.FromDays(1);

    public Task InvokeAsync(HttpContext context) =>
        Read(context.Request.Headers[Header].ToString()) is { } wait && wait <= Longest ? WaitAsync(context, wait) : next(context);

    /// <summary>From here on the method keeps the deadline.</summary>
    public static void HandOver(HttpContext context) => context.Features.Get<Waiting>()?.HandOver(context);

    private async Task WaitAsync(HttpContext context, TimeSpan wait)
    {
        using var waiting = new Waiting(context, wait, time);
        context.Features.Set(waiting);
        try
        {
            await next(context);
        }
        catch (OperationCanceledException) when (waiting.HasPassed && !context.Response.HasStarted)
        {
            context.Response.StatusCode = StatusCodes.Status200OK;
            context.Response.ContentType = "application/grpc";
            context.Response.Headers[GrpcTold.StatusHeader] = ((int)StatusCode.DeadlineExceeded).ToString(CultureInfo.InvariantCulture);
        }
    }

    /// <summary>Up to eight digits and a unit; null for everything else: then the call has no deadline, which is how the framework takes it too.</summary>
    private static TimeSpan? Read(string text)
    {
        if (text.Length is < 2 or > 9 || !long.TryParse(text.AsSpan(0, text.Length - 1), NumberStyles.None, CultureInfo.InvariantCulture, out var number)) return null;
        return text[^1] switch
        {
            'H' => TimeSpan.FromHours(number),
            'M' => TimeSpan.FromMinutes(number),
            'S' => TimeSpan.FromSeconds(number),
            'm' => TimeSpan.FromMilliseconds(number),
            'u' => TimeSpan.FromMicroseconds(number),
            'n' => TimeSpan.FromTicks(number / 100),
            _ => null,
        };
    }

    private sealed class Waiting : IDisposable
    {
        private readonly TimeProvider _time;
        private readonly TimeSpan _wait;
        private readonly long _since;
        private readonly CancellationToken _aborted;
        private readonly CancellationTokenSource _passed;
        private readonly CancellationTokenSource _either;
        private bool _isHandedOver;

        public Waiting(HttpContext context, TimeSpan wait, TimeProvider time)
        {
            (_time, _wait, _since, _aborted) = (time, wait, time.GetTimestamp(), context.RequestAborted);
            _passed = new CancellationTokenSource(wait, time);
            _either = CancellationTokenSource.CreateLinkedTokenSource(_aborted, _passed.Token);
            context.RequestAborted = _either.Token;
        }

        public bool HasPassed => !_isHandedOver && _passed.IsCancellationRequested && !_aborted.IsCancellationRequested;

        public void HandOver(HttpContext context)
        {
            _isHandedOver = true;
            context.RequestAborted = _aborted;
            var left = Math.Max(1, (long)(_wait - _time.GetElapsedTime(_since)).TotalMilliseconds);
            context.Request.Headers[Header] = left.ToString(CultureInfo.InvariantCulture) + "m";
        }

        public void Dispose()
        {
            _either.Dispose();
            _passed.Dispose();
        }
    }
}
