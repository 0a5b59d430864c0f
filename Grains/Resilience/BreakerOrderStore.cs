using Microsoft.Extensions.Logging;
using Orleans.Storage;

namespace HeartGrains.Resilience;

/// <summary>
/// Keeps the store up with an activation's orders, on the activation's own thread. Nobody waits for it longer than a moment: what the store does not take
/// goes there later. What another activation wrote is merged, never overwritten unread.
/// </summary>
internal sealed partial class BreakerOrderStore(BreakerOrders orders, IGrainStorage storage, GrainId grain, TimeProvider time, ILogger logger)
{
    private const string StateName = "breaker_orders_v1";
    private const int ConflictLimit = 3;

    /// <summary>Twice of it, a load and a write, is less than a gateway waits for its answer.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromMilliseconds(300);
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(2);

    private GrainState<BreakerOrdersState>? _row;
    private Task _running = Task.CompletedTask;
    private long _triedAt;
    private bool _isComplainedOf;

    private bool IsBehind => _row is null || !orders.AreStored;

    /// <summary>Loads and stores what there is, and waits for it a moment.</summary>
    public async Task CatchUpAsync() => await Run().WaitAsync(Patience, time).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing | ConfigureAwaitOptions.ContinueOnCapturedContext);

    /// <summary>Tries again when it is time to, and does not wait.</summary>
    public void CatchUpLater()
    {
        if (IsBehind && _running.IsCompleted && time.GetElapsedTime(_triedAt) >= Pause) _ = Run();
    }

    private Task Run() => _running.IsCompleted ? _running = RunAsync() : _running;

    private async Task RunAsync()
    {
        _triedAt = time.GetTimestamp();
        try
        {
            var conflicts = 0;
            while (IsBehind)
            {
                try
                {
                    _row ??= await LoadAsync();
                    if (!orders.AreStored) await WriteAsync(_row);
                }
                catch (InconsistentStateException) when (conflicts < ConflictLimit)
                {
                    conflicts++;
                    _row = null;
                }
            }

            if (_isComplainedOf) Log.Stored(logger);
            _isComplainedOf = false;
        }
        catch (Exception exception)
        {
            if (exception is InconsistentStateException) _row = null;
            if (!orders.AreStored && !_isComplainedOf) Log.NotStored(logger, exception);
            _isComplainedOf |= !orders.AreStored;
        }
    }

    private async Task<GrainState<BreakerOrdersState>> LoadAsync()
    {
        var row = new GrainState<BreakerOrdersState>(new());
        await storage.ReadStateAsync(StateName, grain, row);
        orders.Merge(row.State ?? new());
        return row;
    }

    private async Task WriteAsync(GrainState<BreakerOrdersState> row)
    {
        var state = row.State = orders.ToState();
        await storage.WriteStateAsync(StateName, grain, row);
        orders.Stored(state);
    }

    private static partial class Log
    {
        [LoggerMessage(Level = LogLevel.Warning, Message = "An operator's order to a breaker was not stored: it is lost if this silo stops before it is")]
        public static partial void NotStored(ILogger logger, Exception exception);

        [LoggerMessage(Level = LogLevel.Information, Message = "The operators' orders to breakers are stored")]
        public static partial void Stored(ILogger logger);
    }
}
