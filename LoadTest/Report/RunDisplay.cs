using Spectre.Console;

namespace HeartGrains.LoadTest.Report;

/// <summary>What a live display shows: how much is done, from 0 to 1, and a line of text.</summary>
internal readonly record struct LiveLine(double Done, string Text);

/// <summary>Shows how work goes on: a bar on a terminal, a plain line every few seconds elsewhere.</summary>
internal static class RunDisplay
{
    private static readonly TimeSpan PlainPeriod = TimeSpan.FromSeconds(2);

    public static async Task<TResult> ShowAsync<TProgress, TResult>(
        IAnsiConsole console, Func<IProgress<TProgress>, Task<TResult>> work, Func<TProgress, LiveLine> describe)
    {
        if (!console.Profile.Capabilities.Interactive || !console.Profile.Out.IsTerminal)
            return await work(new PlainLines<TProgress>(console, describe));

        return await console.Progress()
            .AutoClear(true)
            .Columns(new ProgressBarColumn { Width = 20 }, new PercentageColumn(), new TaskDescriptionColumn { Alignment = Justify.Left })
            .StartAsync(context =>
            {
                var bar = context.AddTask("starting", maxValue: 1);
                return work(new Bar<TProgress>(bar, describe));
            });
    }

    private sealed class Bar<T>(ProgressTask bar, Func<T, LiveLine> describe) : IProgress<T>
    {
        public void Report(T value)
        {
            var line = describe(value);
            bar.Value = line.Done;
            bar.Description = Markup.Escape(line.Text);
        }
    }

    private sealed class PlainLines<T>(IAnsiConsole console, Func<T, LiveLine> describe) : IProgress<T>
    {
        private long _shownAt = TimeProvider.System.GetTimestamp();

        public void Report(T value)
        {
            if (TimeProvider.System.GetElapsedTime(_shownAt) < PlainPeriod) return;
            _shownAt = TimeProvider.System.GetTimestamp();
            var line = describe(value);
            console.WriteLine($"{line.Done,4:P0}  {line.Text}");
        }
    }
}
