@echo off
rem Finds a Python 3.11 or newer and hands over to start.py, which does everything else.
setlocal EnableExtensions DisableDelayedExpansion
set "PY="
set "TOO_OLD="
call :try py -3
call :try python
call :try python3
if not defined PY goto :no_python
%PY% "%~dp0start.py" %*
set "RC=%errorlevel%"
if not "%RC%"=="0" echo start.bat: WhatsSelf TUI ended with code %RC%.
goto :end

rem Runs the program rather than looking for it: the Microsoft Store puts a "python" on the PATH that is none.
:try
if defined PY goto :eof
call %* -c "import sys; sys.exit(sys.version_info < (3, 11))" >nul 2>&1
if "%errorlevel%"=="0" set "PY=%*"
if defined PY goto :eof
call %* --version >nul 2>&1
if "%errorlevel%"=="0" set "TOO_OLD=%*"
goto :eof

:no_python
set "RC=2"
echo.
if defined TOO_OLD goto :too_old
echo start.bat: WhatsSelf TUI needs Python 3.11 or newer, and no Python was found.
goto :advice
:too_old
echo start.bat: WhatsSelf TUI needs Python 3.11 or newer, and the one found (%TOO_OLD%) is older:
call %TOO_OLD% --version
:advice
echo Get it from https://www.python.org/downloads/ and tick "Add python.exe to PATH" when you install it.
echo Then start this file again.

:end
if "%RC%"=="0" goto :leave
if defined WS_NOPAUSE goto :leave
if defined SSH_CONNECTION goto :leave
pause
:leave
exit /b %RC%
