namespace Postern.Hosting;

/// <summary>Whose a file is and what kind of file.</summary>
/// <param name="Mode">Type and permissions, as the system has them.</param>
internal readonly record struct FileFacts(uint User, uint Group, int Mode, uint Links)
{
    private const int TypeMask = 0xF000;
    private const int Sticky = 0x200;
    private const int WriteOfOthers = 0x12; // group and others

    public bool IsFile => (Mode & TypeMask) == 0x8000;

    public bool IsLink => (Mode & TypeMask) == 0xA000;

    /// <summary>Others than the owner may replace what is in the directory.</summary>
    public bool IsOpen => (Mode & WriteOfOthers) != 0 && (Mode & Sticky) == 0;
}
