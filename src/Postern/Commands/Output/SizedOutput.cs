using System.Text;
using Spectre.Console;

namespace Postern.Commands.Output;

/// <summary>
/// A writer whose width is known: the usual one asks <see cref="Console"/> for the window's, which puts the terminal into another mode.
/// </summary>
internal sealed class SizedOutput(TextWriter writer, int width) : IAnsiConsoleOutput
{
    private const int AnyHeight = 24;

    public TextWriter Writer => writer;

    public bool IsTerminal => false;

    public int Width => width;

    public int Height => AnyHeight;

    public void SetEncoding(Encoding encoding)
    {
    }
}
