#!/usr/bin/env -S dotnet run
#:package Microsoft.Diagnostics.Tracing.TraceEvent
#:property PublishAot=false

// Says what the runtime's events in a .nettrace file tell of garbage collection, allocation and the thread pool, which
// `dotnet-trace report` does not. See docs/profiling.md.
using System.Globalization;
using Microsoft.Diagnostics.Tracing;
using Microsoft.Diagnostics.Tracing.Etlx;
using Microsoft.Diagnostics.Tracing.Parsers.Clr;

const int Shown = 15;
if (args is not [var file])
{
    Console.Error.WriteLine("dotnet run scripts/trace.cs -- FILE.nettrace");
    return 2;
}

if (!File.Exists(file))
{
    Console.Error.WriteLine($"{file} is missing.");
    return 1;
}

var index = TraceLog.CreateFromEventPipeDataFile(file, Path.GetTempFileName(), new TraceLogOptions { ContinueOnError = true });
using var log = new TraceLog(index);
using var source = log.Events.GetSource();
var pauses = new List<(double At, double Milliseconds, int Generation, GCReason Reason)>();
var allocated = new Dictionary<string, (int Samples, long Bytes)>(StringComparer.Ordinal);
var callers = new Dictionary<string, long>(StringComparer.Ordinal);
var adjustments = new List<(double At, ThreadAdjustmentReason Reason, int Threads)>();
var workers = new List<(double At, int Threads)>();
double? suspended = null;
(int Generation, GCReason Reason) collection = default;
var otherStops = 0;

// A collection in the background stops the process twice or more; each stop is a pause of its own.
source.Clr.GCSuspendEEStart += stop =>
{
    if (stop.Reason is GCSuspendEEReason.SuspendForGC or GCSuspendEEReason.SuspendForGCPrep) suspended = stop.TimeStampRelativeMSec;
    else otherStops++;
};
source.Clr.GCStart += start => collection = (start.Depth, start.Reason);
source.Clr.GCRestartEEStop += restart =>
{
    if (suspended is { } since) pauses.Add((since, restart.TimeStampRelativeMSec - since, collection.Generation, collection.Reason));
    suspended = null;
};
source.Clr.GCAllocationTick += tick =>
{
    var (samples, bytes) = allocated.GetValueOrDefault(tick.TypeName);
    allocated[tick.TypeName] = (samples + 1, bytes + tick.AllocationAmount64);
    var caller = CallerOf(tick.CallStack());
    callers[caller] = callers.GetValueOrDefault(caller) + tick.AllocationAmount64;
};
source.Clr.ThreadPoolWorkerThreadAdjustmentAdjustment += adjustment =>
    adjustments.Add((adjustment.TimeStampRelativeMSec, adjustment.Reason, adjustment.NewWorkerThreadCount));
source.Clr.ThreadPoolWorkerThreadStart += start => workers.Add((start.TimeStampRelativeMSec, start.ActiveWorkerThreadCount));
source.Process();
File.Delete(index);

var seconds = log.SessionDuration.TotalSeconds;
Say($"{seconds:F1} s, {log.EventsLost} events lost");
if (pauses.Count > 0)
{
    Say($"GC: {pauses.Count} pauses, {pauses.Sum(static pause => pause.Milliseconds):F1} ms in all, {pauses.Sum(static pause => pause.Milliseconds) / seconds / 10:F2} % of the time; longest first:");
    foreach (var (at, milliseconds, generation, reason) in pauses.OrderByDescending(static pause => pause.Milliseconds).Take(Shown))
        Say($"  {milliseconds,8:F2} ms  gen{generation}  {reason}, at {at / 1000:F2} s");
}

if (otherStops > 0) Say($"Stopped {otherStops} times for other reasons, such as the sampling itself");
if (allocated.Count > 0)
{
    var all = allocated.Values.Sum(static type => type.Bytes);
    Say($"Allocation: {all / seconds / 1_000_000:F2} MB/s by {allocated.Values.Sum(static type => type.Samples)} samples of {allocated.Count} types:");
    foreach (var (type, (samples, bytes)) in allocated.OrderByDescending(static type => type.Value.Bytes).Take(Shown))
        Say($"  {100.0 * bytes / all,5:F1} %  {samples,5}  {type}");
    Say($"Allocation, by the first method that is not .NET's own:");
    foreach (var (caller, bytes) in callers.OrderByDescending(static caller => caller.Value).Take(Shown))
        Say($"  {100.0 * bytes / all,5:F1} %  {caller}");
}

if (adjustments.Count > 0)
{
    Say($"Thread pool: its goal changed {adjustments.Count} times:");
    foreach (var reason in adjustments.GroupBy(static adjustment => adjustment.Reason).OrderByDescending(static reason => reason.Count()))
        Say($"  {reason.Count(),5}  {reason.Key}, to {reason.Min(static adjustment => adjustment.Threads)} to {reason.Max(static adjustment => adjustment.Threads)} threads");
}

if (workers.Count > 0) Say($"Thread pool: {workers.Count} threads started, up to {workers.Max(static worker => worker.Threads)} active");
return 0;

static string CallerOf(TraceCallStack? stack)
{
    for (; stack is not null; stack = stack.Caller)
    {
        var method = stack.CodeAddress.FullMethodName;
        if (method.Length > 0 && !method.StartsWith("System.", StringComparison.Ordinal) && !method.StartsWith("Microsoft.", StringComparison.Ordinal))
            return method.Split('(')[0];
    }

    return "(.NET itself)";
}

static void Say(FormattableString line) => Console.WriteLine(line.ToString(CultureInfo.InvariantCulture));
