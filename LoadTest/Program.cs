using HeartGrains.LoadTest;
using HeartGrains.LoadTest.Hearts;
using HeartGrains.LoadTest.LocalLimiter;
using HeartGrains.LoadTest.Overload;
using Spectre.Console;

return await LoadTestCommandLine.RunAsync(
    args, AnsiConsole.Console, HeartsCommand.Create, LocalLimiterCommand.Create, OverloadCommand.Create);
