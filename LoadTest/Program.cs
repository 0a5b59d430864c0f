using HeartGrains.LoadTest;
using HeartGrains.LoadTest.Hearts;
using Spectre.Console;

return await LoadTestCommandLine.RunAsync(args, AnsiConsole.Console, HeartsCommand.Create);
