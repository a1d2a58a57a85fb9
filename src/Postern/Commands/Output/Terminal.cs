using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Postern.Machine;
using Postern.Relay.Audit;

namespace Postern.Commands.Output;

/// <summary>Where a command reads and writes: the process's own streams, or a test's.</summary>
/// <param name="isInteractive">A person looks at the output: colours and line drawing are welcome.</param>
/// <param name="canAsk">A person can answer a question.</param>
/// <param name="events">Takes the lines of the log while a server runs; null for nobody.</param>
/// <param name="window">Columns of the person's window; null to ask the system.</param>
internal sealed class Terminal(
    TextWriter output, TextWriter error, TextReader input, bool isInteractive, bool canAsk, Stream? events = null, int? window = null)
{
    private const int FallbackWidth = 80;

    /// <summary>Ends the mode that <see cref="Console.ReadKey(bool)"/> puts a terminal into (rmkx of terminfo).</summary>
    private const string KeysAsBefore = "\e[?1l\e>";

    public TextWriter Output => output;

    public TextWriter Error => error;

    public TextReader Input => input;

    public Stream? Events => events;

    /// <summary>Gives octets as they are: the stream behind <see cref="Input"/>.</summary>
    public Stream InputOctets { get; init; } = Stream.Null;

    /// <summary>Takes octets as they are: the stream behind <see cref="Output"/>.</summary>
    public Stream Octets => events ?? throw new IOException("nothing here takes octets");

    public bool IsInteractive => isInteractive;

    public bool CanAsk => canAsk;

    /// <summary>NO_COLOR and a dumb terminal are respected.</summary>
    public bool WantsColor =>
        isInteractive && string.IsNullOrEmpty(Environment.GetEnvironmentVariable("NO_COLOR")) && !IsDumb;

    /// <summary>It can print, and nothing else.</summary>
    public static bool IsDumb => Environment.GetEnvironmentVariable("TERM") is null or "dumb";

    /// <summary>Columns; a pipe has room for everything.</summary>
    public int Width => isInteractive ? window ?? WindowWidth() : short.MaxValue;

    /// <summary>The process's own; a terminal stays in the mode that it is in (<see cref="StandardStream"/>).</summary>
    public static Terminal OfProcess()
    {
        var output = StandardStream.Output;
        // Whoever reads from a person sees lines; programs send octets, whose stream can be waited for.
        var input = Console.IsInputRedirected ? Console.OpenStandardInput() : StandardStream.Input;
        return new(
            WriterTo(output),
            WriterTo(StandardStream.Error),
            new StreamReader(input, Console.InputEncoding, detectEncodingFromByteOrderMarks: false),
            isInteractive: !Console.IsOutputRedirected,
            canAsk: !Console.IsInputRedirected && !Console.IsErrorRedirected,
            output)
        {
            InputOctets = input,
        };
    }

    public void Line(string text = "") => output.WriteLine(text);

    /// <summary>A sentence: where a person's window is too narrow for it, it goes on in the next line, between two words.</summary>
    /// <param name="indent">Columns before each further line.</param>
    public void Prose(string text, int indent)
    {
        var (from, room) = (0, Width);
        while (text.Length - from > room)
        {
            var least = from == 0 ? indent : from;
            var at = text.LastIndexOf(' ', from + room, from + room - least);
            if (at < 0 && (at = text.IndexOf(' ', from + room)) < 0)
                break;
            WritePart(text[from..at], from == 0 ? 0 : indent);
            (from, room) = (at + 1, Math.Max(1, Width - indent));
        }

        WritePart(text[from..], from == 0 ? 0 : indent);

        void WritePart(string part, int before) => output.WriteLine(new string(' ', before) + part);
    }

    /// <summary>A line about what goes on, beside the data.</summary>
    public void Note(string text) => error.WriteLine(PrintableText.Of(text));

    /// <summary>Says in one line what is wrong and in one line what to do, and answers with the exit code.</summary>
    public int Fail(string what, string todo, int exitCode = ExitCode.No)
    {
        error.WriteLine($"postern: {PrintableText.Of(what)}");
        error.WriteLine($"  {PrintableText.Of(todo)}");
        return exitCode;
    }

    /// <summary>Writes one JSON document.</summary>
    public void Json<T>(T value, JsonTypeInfo<T> type) => output.WriteLine(JsonSerializer.Serialize(value, type));

    /// <summary>Asks on the error stream, so that the output stays data; no answer is no.</summary>
    public bool Confirm(string question)
    {
        error.Write($"{question} [y/N] ");
        error.Flush();
        return input.ReadLine()?.Trim() is "y" or "Y" or "yes";
    }

    /// <summary>Reads one line that must not be seen; null at the end of the input.</summary>
    public string? ReadSecret(string prompt)
    {
        if (!canAsk)
            return input.ReadLine();
        error.Write(prompt);
        error.Flush();
        var line = new StringBuilder();
        while (Console.ReadKey(intercept: true) is var key && key.Key != ConsoleKey.Enter)
        {
            if (key.Key == ConsoleKey.Backspace)
                line.Length = Math.Max(0, line.Length - 1);
            else if (!char.IsControl(key.KeyChar))
                line.Append(key.KeyChar);
        }

        error.WriteLine();
        if (isInteractive && !IsDumb)
            output.Write(KeysAsBefore);
        return line.ToString();
    }

    private static TextWriter WriterTo(Stream stream) =>
        TextWriter.Synchronized(new StreamWriter(stream, Console.OutputEncoding) { AutoFlush = true });

    private static int WindowWidth() => WindowSize.Columns is > 0 and var width ? width : FallbackWidth;
}
