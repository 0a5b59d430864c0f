using HeartGrains.LoadTest;
using HeartGrains.LoadTest.Breaker;
using HeartGrains.LoadTest.Hearts;
using HeartGrains.LoadTest.Limiters;
using HeartGrains.LoadTest.Live;
using HeartGrains.LoadTest.LocalLimiter;
using HeartGrains.LoadTest.Overload;
using HeartGrains.LoadTest.QuotaCost;
using HeartGrains.LoadTest.Recovery;
using Spectre.Console;

return await LoadTestCommandLine.RunAsync(
    args,
    AnsiConsole.Console,
    BreakerCommand.Create,
    HeartsCommand.Create,
    LimitersCommand.Create,
    LiveCommand.Create,
    LocalLimiterCommand.Create,
    OverloadCommand.Create,
    QuotaCostCommand.Create,
    RecoveryCommand.Create);
