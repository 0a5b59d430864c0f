using HeartGrains.LoadTest;
using HeartGrains.LoadTest.Hearts;
using HeartGrains.LoadTest.LocalLimiter;
using HeartGrains.LoadTest.QuotaCost;
using Spectre.Console;

return await LoadTestCommandLine.RunAsync(args, AnsiConsole.Console, HeartsCommand.Create, LocalLimiterCommand.Create, QuotaCostCommand.Create);
