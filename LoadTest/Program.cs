using HeartGrains.LoadTest;
using HeartGrains.LoadTest.Hearts;
using HeartGrains.LoadTest.Limiters;
using HeartGrains.LoadTest.LocalLimiter;
using HeartGrains.LoadTest.Overload;
using HeartGrains.LoadTest.QuotaCost;
using Spectre.Console;

return await LoadTestCommandLine.RunAsync(
    args,
    AnsiConsole.Console,
    HeartsCommand.Create,
    LimitersCommand.Create,
    LocalLimiterCommand.Create,
    OverloadCommand.Create,
    QuotaCostCommand.Create);
