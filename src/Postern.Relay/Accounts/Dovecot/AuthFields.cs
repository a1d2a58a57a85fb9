namespace Postern.Relay.Accounts.Dovecot;

/// <summary>The fields of a line, still escaped (<see cref="AuthLine.TextOf"/>), one after the other. A line has at least one.</summary>
/// <param name="line">Without its LF.</param>
internal ref struct AuthFields(ReadOnlySpan<byte> line)
{
    private ReadOnlySpan<byte> rest = line;
    private bool isOver;

    /// <summary>The next field; false behind the last.</summary>
    public bool TryTake(out ReadOnlySpan<byte> field)
    {
        if (isOver)
        {
            field = default;
            return false;
        }

        var tab = rest.IndexOf((byte)'\t');
        isOver = tab < 0;
        field = isOver ? rest : rest[..tab];
        rest = isOver ? default : rest[(tab + 1)..];
        return true;
    }

    /// <summary>Passes over what is left.</summary>
    public void End() => isOver = true;
}
