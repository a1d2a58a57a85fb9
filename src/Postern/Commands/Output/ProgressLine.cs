using Spectre.Console;

namespace Postern.Commands.Output;

/// <summary>A bar on the error stream while something long is done, for a person who looks; elsewhere nothing.</summary>
internal static class ProgressLine
{
    /// <param name="what">What is being done.</param>
    /// <param name="total">Steps in all.</param>
    /// <param name="work">Reports the steps that are done.</param>
    public static T Run<T>(Terminal terminal, string what, int total, Func<IProgress<int>?, T> work)
    {
        if (!terminal.IsInteractive || Terminal.IsDumb || total == 0)
            return work(null);
        var console = AnsiConsole.Create(new AnsiConsoleSettings
        {
            Ansi = AnsiSupport.Yes, // the bar moves by it; without colour it is still a bar
            ColorSystem = terminal.WantsColor ? ColorSystemSupport.Standard : ColorSystemSupport.NoColors,
            Interactive = InteractionSupport.Yes, // else there is no bar
            Out = new SizedOutput(terminal.Error, terminal.Width),
        });
        return console.Progress().AutoClear(enabled: false).Columns(
            new TaskDescriptionColumn(), new ProgressBarColumn(), new PercentageColumn()).Start(context =>
        {
            var bar = context.AddTask(Markup.Escape(what), maxValue: total);
            return work(new Steps(bar));
        });
    }

    private sealed class Steps(ProgressTask bar) : IProgress<int>
    {
        public void Report(int value) => bar.Value = value;
    }
}
